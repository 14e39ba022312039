import { generateKeyPairSync } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, expect, test } from "vitest";
import { createWebhookSecret } from "./callback-secrets.ts";
import { newMasterKey } from "./master-keys.ts";
import { createVault, type Vault } from "./vault.ts";

const database: TestDatabase = await createTestDatabase();
afterAll(() => database.drop());

const time = { nowMs: Date.UTC(2026, 4, 22) };
const masterKeys = newMasterKey("test");

function newVault(): Vault {
  return createVault({ pool: database.vaultPool, masterKeys, clock: { now: () => time.nowMs } });
}

function rsaKey(bits: number): string {
  return generateKeyPairSync("rsa", { modulusLength: bits })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
}

test("a new webhook secret is whsec_ and 32 bytes in Base64, never the same twice", () => {
  const secrets = Array.from({ length: 1000 }, () => createWebhookSecret());
  expect(secrets.filter((secret) => Buffer.from(secret.replace(/^whsec_/u, ""), "base64").length !== 32)).toEqual([]);
  expect(secrets.filter((secret) => !/^whsec_[A-Za-z0-9+/]{43}=$/u.test(secret))).toEqual([]);
  expect(new Set(secrets).size).toBe(1000);
});

test("webhook secrets, client keys and API secrets under one id are three different things", async () => {
  const vault = newVault();
  const key = { merchantId: 1, secretId: "same" };
  const [secret, pem] = [createWebhookSecret(), rsaKey(2048)];
  await vault.webhookSecrets.store({ ...key, secret });
  await vault.clientKeys.store({ ...key, secret: pem });
  for (const reader of [vault, newVault()]) {
    expect(await reader.webhookSecrets.read(key)).toBe(secret);
    expect(await reader.clientKeys.read(key)).toBe(pem);
    expect(await reader.readSecret(key)).toBeNull();
    expect(await reader.webhookSecrets.read({ ...key, merchantId: 2 })).toBeNull();
  }
});

test("the largest client key, RSA with 4,096 bits, fits into an envelope", async () => {
  const key = { merchantId: 1, secretId: "large" };
  const secret = rsaKey(4096);
  await newVault().clientKeys.store({ ...key, secret });
  expect(await newVault().clientKeys.read(key)).toBe(secret);
});

test("a deleted one is gone here at once, its cipher text is erased, and its id is not used again", async () => {
  const vault = newVault();
  const key = { merchantId: 1, secretId: "deleted" };
  const secret = createWebhookSecret();
  await vault.webhookSecrets.store({ ...key, secret });
  expect(await vault.webhookSecrets.store({ ...key, secret })).toEqual({ ok: true, value: null });
  await vault.webhookSecrets.delete(key);
  expect(await vault.webhookSecrets.read(key)).toBeNull();
  const { rows } = await database.ownerPool.query(
    "SELECT envelope, deleted_at FROM vault.webhook_secret WHERE secret_id = 'deleted'",
  );
  expect(rows).toEqual([{ envelope: null, deleted_at: BigInt(time.nowMs) }]);
  expect(await vault.webhookSecrets.store({ ...key, secret })).toEqual({ ok: false, reason: "secret_id_used" });
});

test("an envelope that was moved between the kinds does not open", async () => {
  const vault = newVault();
  const key = { merchantId: 1, secretId: "moved" };
  await vault.webhookSecrets.store({ ...key, secret: createWebhookSecret() });
  await database.ownerPool.query(
    `INSERT INTO vault.client_key (merchant_id, secret_id, envelope, stored_at)
     SELECT merchant_id, secret_id, envelope, stored_at FROM vault.webhook_secret WHERE secret_id = 'moved'`,
  );
  await expect(newVault().clientKeys.read(key)).rejects.toThrow("does not belong here");
});

test("nothing of them stands in the database in plain", async () => {
  const vault = newVault();
  const [secret, pem] = [createWebhookSecret(), rsaKey(2048)];
  await vault.webhookSecrets.store({ merchantId: 2, secretId: "a", secret });
  await vault.clientKeys.store({ merchantId: 2, secretId: "a", secret: pem });
  const { rows } = await database.ownerPool.query<{ text: string }>(
    "SELECT w::text AS text FROM vault.webhook_secret w UNION ALL SELECT c::text FROM vault.client_key c",
  );
  const stored = rows.map((row) => row.text).join("\n");
  for (const plain of [secret, secret.slice(6), "PRIVATE KEY", pem.split("\n")[3] ?? ""]) {
    expect(stored).not.toContain(Buffer.from(plain).toString("hex"));
    expect(stored).not.toContain(plain);
  }
});

test("one of the wrong form is refused without being repeated", async () => {
  const { webhookSecrets, clientKeys } = newVault();
  const key = { merchantId: 1, secretId: "wrong" };
  for (const secret of ["", "whsec_short", createWebhookSecret().slice(6), `${createWebhookSecret()}x`]) {
    await expect(webhookSecrets.store({ ...key, secret })).rejects.toThrow(/^a webhook secret has the wrong form$/u);
  }
  for (const secret of ["", "-----BEGIN PRIVATE KEY-----", rsaKey(2048).replaceAll("PRIVATE", "PUBLIC")]) {
    await expect(clientKeys.store({ ...key, secret })).rejects.toThrow(/^a client key has the wrong form$/u);
  }
});
