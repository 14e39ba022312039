import { createPrivateKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { createAuthority, type TestAuthority, type TestCertificate } from "@cardwright/testing/certificates";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Result } from "#kernel/index.ts";
import { createApiSecret, createVault, createWebhookSecret, newMasterKey, type Vault } from "#vault/index.ts";
import { createMerchants, type Merchants } from "./index.ts";

const by = { actor: "operator", requestId: "test" };
const dayMs = 86_400_000;
const start = Date.UTC(2026, 4, 22, 12);
/** Certificates are valid for ten years around the machine's clock of these tests. */
const inForce = { validFromMs: start - dayMs, validToMs: start + 3650 * dayMs };
let database: TestDatabase;
let vault: Vault;
let merchants: Merchants;
let authority: TestAuthority;
let machineMs = start;
const clock = { now: () => start };

beforeAll(async () => {
  database = await createTestDatabase();
  vault = createVault({ pool: database.vaultPool, masterKeys: newMasterKey("test"), clock });
  authority = await createAuthority();
  merchants = createMerchants({
    pool: database.pool,
    clock,
    transportClock: { now: () => machineMs },
    requireHttps: true,
    secrets: { create: createApiSecret, store: vault.storeSecret, delete: vault.deleteSecret },
    webhookSecrets: { create: createWebhookSecret, ...vault.webhookSecrets },
    clientKeys: vault.clientKeys,
  });
});
afterAll(() => database.drop());

function value<Value>(result: Result<Value, unknown>): Value {
  if (!result.ok) throw new Error(`refused: ${String(result.reason)}`);
  return result.value;
}

async function newMerchant(): Promise<number> {
  const callbackUrl = "https://shop.example/callback";
  const { merchantId } = value(await merchants.create({ name: "Shop", mode: "AUTHORIZATION", callbackUrl }, by));
  value(await merchants.createCredential({ merchantId }, by));
  return merchantId;
}

async function set(merchantId: number, pair: TestCertificate) {
  return merchants.clientCertificates.set({ merchantId, ...pair }, by);
}

async function keysKept(merchantId: number): Promise<number> {
  const { rows } = await database.ownerPool.query<{ kept: bigint }>(
    "SELECT count(envelope) AS kept FROM vault.client_key WHERE merchant_id = $1",
    [merchantId],
  );
  return Number(rows[0]?.kept);
}

test("a certificate says who it is and never its key, which lies in the vault alone", async () => {
  const merchantId = await newMerchant();
  expect(await merchants.clientCertificates.find(merchantId)).toBeNull();
  const pair = await authority.issue({ name: "acme", ...inForce });
  const certificate = value(await set(merchantId, pair));
  const leaf = new X509Certificate(pair.certificatePem);
  expect(certificate).toEqual({
    certificateId: expect.any(String),
    subject: "C=DE, O=Cardwright tests, CN=acme",
    issuer: "CN=Test authority",
    serial: leaf.serialNumber,
    fingerprint: leaf.fingerprint256,
    validFromMs: inForce.validFromMs,
    validToMs: inForce.validToMs,
    createdAtMs: start,
  });
  expect(await merchants.clientCertificates.find(merchantId)).toEqual(certificate);
  const { certificateId } = certificate;
  const key = await vault.clientKeys.read({ merchantId, secretId: certificateId });
  expect(createPrivateKey(key ?? "").equals(createPrivateKey(pair.privateKeyPem))).toBe(true);
  expect((await merchants.callbackTarget(merchantId))?.clientCertificate).toEqual({
    certificateId,
    certificatePem: pair.certificatePem,
  });
  const { rows } = await database.ownerPool.query<{ text: string }>(
    "SELECT c::text AS text FROM client_certificate c UNION ALL SELECT e::text FROM audit_entry e UNION ALL SELECT k::text FROM vault.client_key k",
  );
  const everything = rows.map((row) => row.text).join("\n");
  const secretLine = pair.privateKeyPem.split("\n")[1] ?? "";
  expect(everything).not.toContain(secretLine);
  expect(everything).not.toContain(Buffer.from(secretLine).toString("hex"));
});

test("RSA keys of 2,048 bits, with the issuers' certificates behind, and keys in the older forms are taken", async () => {
  const merchantId = await newMerchant();
  const rsa = await authority.issue({ name: "rsa", rsaBits: 2048, ...inForce });
  const older = createPrivateKey(rsa.privateKeyPem).export({ type: "pkcs1", format: "pem" }).toString();
  const chain = `some text\n${rsa.certificatePem}${authority.certificatePem}`;
  value(await set(merchantId, { certificatePem: chain, privateKeyPem: older }));
  const { clientCertificate } = (await merchants.callbackTarget(merchantId)) ?? {};
  expect(clientCertificate?.certificatePem).toBe(rsa.certificatePem + authority.certificatePem);
  const key = await vault.clientKeys.read({ merchantId, secretId: clientCertificate?.certificateId ?? "" });
  expect(key).toBe(rsa.privateKeyPem);
});

test("what TLS could not be spoken with is refused by its reason, and nothing is kept", async () => {
  const merchantId = await newMerchant();
  const good = await authority.issue(inForce);
  const other = await authority.issue(inForce);
  const weak = await authority.issue({ rsaBits: 1024, ...inForce });
  const encrypted = createPrivateKey(good.privateKeyPem)
    .export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "x" })
    .toString();
  const p224 = generateKeyPairSync("ec", { namedCurve: "secp224r1" }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  });
  const attempts: [Partial<TestCertificate>, string][] = [
    [{ certificatePem: "" }, "client_certificate_invalid"],
    [{ certificatePem: good.privateKeyPem }, "client_certificate_invalid"],
    [{ certificatePem: good.certificatePem.replace("MII", "AAA") }, "client_certificate_invalid"],
    [{ certificatePem: good.certificatePem.repeat(6) }, "client_certificate_invalid"],
    [{ certificatePem: good.certificatePem + other.certificatePem }, "client_certificate_invalid"],
    [{ certificatePem: authority.certificatePem }, "client_certificate_invalid"],
    [await authority.issue({ isAuthority: true, ...inForce }), "client_certificate_invalid"],
    [await authority.issue({ usage: "server", ...inForce }), "client_certificate_invalid"],
    [await authority.issue({ validFromMs: start - 2, validToMs: start - 1000 }), "client_certificate_not_in_force"],
    [await authority.issue({ ...inForce, validFromMs: start + 1000 }), "client_certificate_not_in_force"],
    [{ privateKeyPem: "" }, "client_key_invalid"],
    [{ privateKeyPem: encrypted }, "client_key_invalid"],
    [{ privateKeyPem: good.certificatePem }, "client_key_invalid"],
    [{ privateKeyPem: p224.toString() }, "client_key_invalid"],
    [weak, "client_key_invalid"],
    [{ privateKeyPem: other.privateKeyPem }, "client_key_mismatch"],
  ];
  const reasons: string[] = [];
  for (const [wrong] of attempts) {
    const outcome = await set(merchantId, { ...good, ...wrong });
    reasons.push(outcome.ok ? "taken" : outcome.reason);
  }
  expect(reasons).toEqual(attempts.map(([, reason]) => reason));
  expect(await set(999_999, good)).toEqual({ ok: false, reason: "merchant_unknown" });
  expect(await merchants.clientCertificates.find(merchantId)).toBeNull();
  expect(await keysKept(merchantId)).toBe(0);
});

test("a certificate without any extended usage is good for a client", async () => {
  const merchantId = await newMerchant();
  expect((await set(merchantId, await authority.issue({ usage: "none", ...inForce }))).ok).toBe(true);
});

test("the same certificate again changes nothing; another one replaces it, and the old key is erased", async () => {
  const merchantId = await newMerchant();
  const [one, two] = [await authority.issue(inForce), await authority.issue(inForce)];
  const first = value(await set(merchantId, one));
  machineMs += 1_000;
  expect(value(await set(merchantId, one))).toEqual(first);
  expect(await keysKept(merchantId)).toBe(1);
  const second = value(await set(merchantId, two));
  expect(second.certificateId).not.toBe(first.certificateId);
  expect(await merchants.clientCertificates.find(merchantId)).toEqual(second);
  expect(await keysKept(merchantId)).toBe(2);
  while ((await merchants.clientCertificates.eraseEnded()) > 0);
  expect(await keysKept(merchantId)).toBe(1);
  const { rows } = await database.pool.query(
    "SELECT action FROM audit_entry WHERE merchant_id = $1 ORDER BY entry_no",
    [merchantId],
  );
  expect(rows.map((row) => row.action).slice(-2)).toEqual(["client_certificate.set", "client_certificate.set"]);
});

test("of certificates set at once one is in use, and each of the others is erased", async () => {
  const merchantId = await newMerchant();
  const pairs = await Promise.all(Array.from({ length: 6 }, () => authority.issue(inForce)));
  const outcomes = await Promise.all(pairs.map((pair) => set(merchantId, pair)));
  expect(outcomes.every((outcome) => outcome.ok)).toBe(true);
  while ((await merchants.clientCertificates.eraseEnded()) > 0);
  const { rows } = await database.pool.query("SELECT certificate_id FROM client_certificate WHERE merchant_id = $1", [
    merchantId,
  ]);
  expect(rows).toEqual([{ certificate_id: (await merchants.clientCertificates.find(merchantId))?.certificateId }]);
  expect(await keysKept(merchantId)).toBe(1);
});

test("a certificate that was taken away is gone from the target, twice is as good as once, and its key is erased", async () => {
  const merchantId = await newMerchant();
  value(await set(merchantId, await authority.issue(inForce)));
  for (let times = 0; times < 2; times += 1) {
    expect(await merchants.clientCertificates.remove({ merchantId }, by)).toEqual({ ok: true, value: null });
  }
  expect(await merchants.clientCertificates.find(merchantId)).toBeNull();
  expect((await merchants.callbackTarget(merchantId))?.clientCertificate).toBeNull();
  while ((await merchants.clientCertificates.eraseEnded()) > 0);
  expect(await keysKept(merchantId)).toBe(0);
  value(await merchants.update({ merchantId, change: { status: "Closed" } }, by));
  const closed = { ok: false, reason: "merchant_closed" };
  expect(await set(merchantId, await authority.issue(inForce))).toEqual(closed);
  expect(await merchants.clientCertificates.remove({ merchantId }, by)).toEqual(closed);
  expect(await merchants.clientCertificates.remove({ merchantId: 999_999 }, by)).toMatchObject({ ok: false });
});

test("a certificate that expires within 30 days is told once, also by two workers, and its successor not at all", async () => {
  const merchantId = await newMerchant();
  const validToMs = machineMs + 31 * dayMs;
  const pair = await authority.issue({ validFromMs: inForce.validFromMs, validToMs });
  const { certificateId, fingerprint, validToMs: stored } = value(await set(merchantId, pair));
  const told = async () => {
    await Promise.all(Array.from({ length: 4 }, () => merchants.clientCertificates.warnOfExpiring()));
    const { rows } = await database.pool.query(
      "SELECT kind, detail FROM merchant_event WHERE merchant_id = $1 ORDER BY event_id",
      [merchantId],
    );
    return rows;
  };
  expect(await told()).toEqual([]);
  machineMs += 2 * dayMs;
  const detail = { certificate_id: certificateId, fingerprint_sha256: fingerprint, valid_to: stored };
  for (let times = 0; times < 2; times += 1) {
    expect(await told()).toEqual([{ kind: "client_certificate_expires", detail }]);
  }
  value(await set(merchantId, await authority.issue(inForce)));
  machineMs += 60 * dayMs;
  expect(await told()).toHaveLength(1);
});
