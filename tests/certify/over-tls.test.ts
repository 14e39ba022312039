import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type CertifyReport, certify } from "@cardwright/certify";
import { afterEach, beforeAll, expect, test, vi } from "vitest";
import {
  credentials,
  type SmallMerchant,
  type SmallTls,
  startSmallMerchant,
} from "../../packages/certify/test/small-merchant.ts";
import { newPerson, type Person } from "../cli/command-line.ts";
import { createAuthority, type TestAuthority, type TestCertificate } from "../support/certificates.ts";

/** A merchant behind TLS, with a certificate of an authority that nobody but this test knows. */

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 });

const base = { ...credentials, mode: "AUTHORIZATION", seed: 7, rates: [40], deadlineMs: 3_500 } as const;
const pace = { idleMs: 100, burstQuestions: 24, steadySecondsEach: 0.6, settleWaitsMs: [30] } as const;

let authority: TestAuthority;
let certificate: TestCertificate;
const cleanUps: (() => Promise<void>)[] = [];

beforeAll(async () => {
  authority = await createAuthority();
  certificate = await authority.issue({ usage: "server" });
});

afterEach(async () => {
  await Promise.all(cleanUps.splice(0).map((cleanUp) => cleanUp()));
});

async function merchantWith(tls: Partial<SmallTls> = {}): Promise<SmallMerchant> {
  const merchant = await startSmallMerchant("none", { tls: { ...certificate, ...tls } });
  cleanUps.push(() => merchant.close());
  return merchant;
}

function failures({ checks }: CertifyReport): readonly (readonly [string, string])[] {
  return checks.flatMap(({ id, ok, saw }) => (ok === false ? [[id, saw] as const] : []));
}

test("a merchant behind TLS has grade A in all checks, when its authority is named", async () => {
  const merchant = await merchantWith();
  const before = merchant.available();
  const report = await certify({ ...base, url: merchant.url, ca: `mine:\n${authority.certificatePem}`, pace });
  expect(failures(report)).toEqual([]);
  expect(report).toMatchObject({ grade: "A", failed: 0, leftOpen: 0 });
  expect(report.checks.filter(({ skipped }) => skipped === "need" || skipped === "time")).toEqual([]);
  expect(merchant.available()).toBe(before);
});

test("what a TLS handshake takes is in the latency", async () => {
  const handshakeMs = 700;
  const merchant = await merchantWith({ handshakeMs });
  const report = await certify({
    ...base,
    url: merchant.url,
    ca: authority.certificatePem,
    pace,
    deadlineMs: handshakeMs,
    only: ["connection.after-silence", "load.burst"],
  });
  // The burst may end without a verdict, where this machine is busy.
  expect(failures(report).map(([id]) => id)).toContain("connection.after-silence");
  expect(report.passed).toBe(0);
  expect(report.latency.maxMs).toBeGreaterThanOrEqual(handshakeMs);
});

test("a certificate that is not trusted is one failure which says so, and nothing is sent", async () => {
  const merchant = await merchantWith();
  const other = await createAuthority("Another authority");
  for (const ca of [{}, { ca: other.certificatePem }]) {
    const report = await certify({ ...base, url: merchant.url, pace, ...ca });
    expect(report).toMatchObject({ grade: "F", passed: 0, failed: 1 });
    expect(failures(report)).toEqual([
      [
        "connection.reachable",
        "nothing was sent: its certificate is not accepted (unable to verify the first certificate, UNABLE_TO_VERIFY_LEAF_SIGNATURE)",
      ],
    ]);
  }
  expect(merchant.received).toEqual([]);
});

test.each([
  ["for another host", { host: "shop.example.com" }, "ERR_TLS_CERT_ALTNAME_INVALID"],
  ["that has expired", { validToMs: Date.now() - 60_000 }, "CERT_HAS_EXPIRED"],
] as const)("a certificate %s is not accepted from a trusted authority either", async (_what, wanted, code) => {
  const merchant = await merchantWith(await authority.issue({ usage: "server", ...wanted }));
  const only = ["connection.reachable"];
  const report = await certify({ ...base, url: merchant.url, ca: authority.certificatePem, only });
  expect(failures(report)).toEqual([["connection.reachable", expect.stringMatching(code)]]);
});

test("what is no certificate is refused as an authority before anything is sent", async () => {
  const broken = authority.certificatePem.replace(/\n.{20}/u, "\nAAAA");
  for (const ca of ["", "no certificate", broken]) {
    await expect(certify({ ...base, url: "https://127.0.0.1:9/", ca })).rejects.toThrow("ca must be");
  }
});

async function developer(): Promise<Person> {
  const person = await newPerson({
    CARDWRIGHT_APP_ID: credentials.appId,
    CARDWRIGHT_API_SECRET: credentials.apiSecret,
    CARDWRIGHT_WEBHOOK_SECRET: credentials.webhookSecret,
  });
  cleanUps.push(() => person.leave());
  await writeFile(join(person.home, "authority.pem"), authority.certificatePem);
  return person;
}

test("the command takes the authority from --ca or from NODE_EXTRA_CA_CERTS, and without one says in a few lines what is wrong", async () => {
  // One for each grader that books: a card is for one at a time.
  const merchant = await merchantWith();
  const another = await merchantWith();
  const person = await developer();
  const { cardNo, cardholderNo } = credentials;
  const who = ["--card", cardNo, "--cardholder", cardholderNo, "--mode", "AUTHORIZATION"];
  const some = ["--only", "connection.reachable", "--only", "signature.wrong", "--only", "connection.cut-in-body"];
  const last = [...who, ...some, "--min-grade", "A"];
  const words = ["certify", merchant.url, ...last];
  const extra = { NODE_EXTRA_CA_CERTS: join(person.home, "authority.pem") };
  // As processes: Node reads its variable when it starts, and the merchants, which have 800 ms, are in this one.
  const [named, byNode, unknown, missing, nonsense] = await Promise.all([
    person.start([...words, "--ca", "authority.pem", "--json"]).ended,
    person.start(["certify", another.url, ...last, "--json"], { env: extra }).ended,
    person.start(["certify", merchant.url, ...who, "--min-grade", "A"]).ended,
    person.types([...words, "--ca", "no-such.pem"]),
    person.types([...words, "--ca", "."]),
  ]);
  for (const { code, stdout } of [named, byNode]) {
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ grade: "A", passed: 3 });
  }
  expect(unknown).toMatchObject({ code: 1 });
  expect(unknown.stdout).toContain("its certificate is not accepted (unable to verify the first certificate");
  expect(unknown.stdout).toContain("--ca FILE");
  // One line for what was left out in each group, not ninety.
  expect(unknown.stdout.split("\n").length).toBeLessThan(60);
  expect([missing.code, nonsense.code]).toEqual([2, 2]);
  expect(missing.stderr).toContain("--ca");
});
