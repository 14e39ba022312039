import { expect, test } from "vitest";
import { credentials, startSmallMerchant } from "../test/small-merchant.ts";
import { type CertifyOptions, certify, checkList } from "./index.ts";

const nowMs = Date.UTC(2026, 4, 22, 12);
const pace = { idleMs: 50, burstQuestions: 8, steadySecondsEach: 0.2, settleWaitsMs: [30] };
const base = { ...credentials, mode: "AUTHORIZATION", rates: [20], deadlineMs: 5_000, pace } as const;

/** Of these the order of arrival, or who gets the money, is decided by the network. */
const racing = new Set(["order.push-with-auth", "concurrency", "load"]);
const inTurn = checkList.flatMap(({ id, group }) => (racing.has(id) || racing.has(group) ? [] : [id]));

/** What a fresh merchant receives in a run, in order of arrival. */
async function receivedIn(options: Partial<CertifyOptions>): Promise<readonly string[]> {
  const merchant = await startSmallMerchant("none", { now: () => nowMs });
  try {
    await certify({ ...base, url: merchant.url, now: () => nowMs, ...options });
    return merchant.received;
  } finally {
    await merchant.close();
  }
}

test("the same seed at the same time sends the same bodies in the same order, another seed others", async () => {
  const [first, second, other] = await Promise.all([
    receivedIn({ seed: 42, only: inTurn }),
    receivedIn({ seed: 42, only: inTurn }),
    receivedIn({ seed: 43, only: inTurn }),
  ]);
  expect(first.length).toBeGreaterThan(300);
  expect(second).toEqual(first);
  expect(other).not.toEqual(first);
}, 120_000);

test("a check asks the same when it is run alone as within a whole run", async () => {
  const id = "booking.final-lower";
  const neighbours = ["booking.final-lower", "booking.refund", "text.cjk"];
  const [alone, among] = await Promise.all([
    receivedIn({ seed: 42, only: [id] }),
    receivedIn({ seed: 42, only: neighbours }),
  ]);
  const numbersIn = (bodies: readonly string[]): readonly string[] =>
    bodies.flatMap((body) => /"consume_no":"(\w+)"/u.exec(body)?.[1] ?? []);
  const known = new Set(numbersIn(among));
  expect(numbersIn(alone).filter((number) => !known.has(number))).toEqual([]);
}, 60_000);

test("a second run with the same seed is no repeat of the first: a merchant that remembers has nothing against it", async () => {
  const merchant = await startSmallMerchant("none");
  try {
    const options = { ...base, url: merchant.url, seed: 42, only: ["booking.pending", "booking.success"] };
    const first = await certify(options);
    const second = await certify(options);
    expect([first.failed, second.failed, second.passed]).toEqual([0, 0, 2]);
  } finally {
    await merchant.close();
  }
}, 60_000);

test("an endpoint that nobody listens at has grade F, one failure, and every other check skipped for it", async () => {
  const merchant = await startSmallMerchant("none");
  await merchant.close();
  const report = await certify({ ...base, url: merchant.url });
  expect(report).toMatchObject({ grade: "F", passed: 0, failed: 1 });
  expect(report.checks.find(({ ok }) => ok === false)?.id).toBe("connection.reachable");
  expect(new Set(report.checks.map(({ skipped }) => skipped))).toEqual(new Set([null, "need"]));
  const reasons = new Set(report.checks.flatMap(({ ok, saw }) => (ok === null ? [saw] : [])));
  expect([...reasons]).toEqual([expect.stringMatching(/^needs connection\.reachable: no answer/u)]);
}, 60_000);

test("an endpoint that was given another secret has grade F because it refuses what is rightly signed", async () => {
  const merchant = await startSmallMerchant("none");
  try {
    const report = await certify({ ...base, url: merchant.url, apiSecret: "another secret of 32 characters." });
    expect(report.checks.filter(({ ok }) => ok === false).map(({ id }) => id)).toEqual(["signature.right"]);
    expect(report.grade).toBe("F");
  } finally {
    await merchant.close();
  }
}, 60_000);

test("an aborted run rejects with the reason and leaves nothing held on the card", async () => {
  const merchant = await startSmallMerchant("none");
  try {
    const before = merchant.available();
    const stop = new AbortController();
    const run = certify({ ...base, url: merchant.url, signal: stop.signal }, ({ id, ok }) => {
      // In the middle of a check that has the whole card's money held.
      if (id === "concurrency.exact" && ok === undefined) {
        setTimeout(() => stop.abort(new Error("stopped by hand")), 5);
      }
    });
    await expect(run).rejects.toThrow("stopped by hand");
    expect(merchant.available()).toBe(before);
  } finally {
    await merchant.close();
  }
}, 60_000);

test("only what was chosen is run, the rest is told as skipped by choice, and progress counts all of them", async () => {
  const merchant = await startSmallMerchant("none");
  try {
    const told: string[] = [];
    const report = await certify(
      { ...base, url: merchant.url, only: ["signature.wrong", "text.cjk"], skip: ["text.cjk"] },
      (p) => told.push(`${p.done}/${p.total} ${p.id} ${p.ok}`),
    );
    expect([report.passed, report.failed, report.skipped]).toEqual([1, 0, checkList.length - 1]);
    expect(told).toHaveLength(2 * checkList.length);
    expect(told.at(-1)).toMatch(new RegExp(`^${checkList.length}/${checkList.length} `, "u"));
    expect(told).toContainEqual(expect.stringMatching(/signature\.wrong true$/u));
  } finally {
    await merchant.close();
  }
}, 60_000);

test.each([
  [{ url: "ftp://example.com" }, "url"],
  [{ apiSecret: "" }, "apiSecret"],
  [{ seed: -1 }, "seed"],
  [{ rates: [] }, "rates"],
  [{ rates: [0] }, "rate"],
  [{ deadlineMs: 60_000 }, "deadlineMs"],
  [{ only: ["signature.unheard-of"] }, "signature.unheard-of"],
] as const)("options that make no sense are refused before anything is sent: %o", async (over, named) => {
  await expect(certify({ ...base, url: "http://127.0.0.1:9/", ...over })).rejects.toThrow(named);
});

test("there are at least 35 checks, each with an id of its own and sentences for a reader", () => {
  expect(checkList.length).toBeGreaterThanOrEqual(35);
  expect(new Set(checkList.map(({ id }) => id)).size).toBe(checkList.length);
  const unfinished = checkList.filter(({ id, group, proves, mend, title }) => {
    const sentences = [proves, mend];
    return !id.startsWith(`${group}.`) || title.endsWith(".") || !sentences.every((text) => /^\S.*[.}>]$/su.test(text));
  });
  expect(unfinished).toEqual([]);
});
