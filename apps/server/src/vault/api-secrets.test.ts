import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, expect, test } from "vitest";
import { createApiSecret } from "./api-secrets.ts";
import { newMasterKey } from "./master-keys.ts";
import { createVault, type Vault } from "./vault.ts";

const database: TestDatabase = await createTestDatabase();
afterAll(() => database.drop());

const time = { nowMs: Date.UTC(2026, 4, 22) };
const masterKeys = newMasterKey("test");

function newVault(): Vault {
  return createVault({ pool: database.vaultPool, masterKeys, clock: { now: () => time.nowMs } });
}

test("a new secret is 32 letters and digits, never the same twice, and every character occurs at every place", () => {
  const secrets = Array.from({ length: 2000 }, () => createApiSecret());
  expect(secrets.filter((secret) => !/^[A-Za-z0-9]{32}$/u.test(secret))).toEqual([]);
  expect(new Set(secrets).size).toBe(2000);
  // A character is missing at one place with a chance of 10^-14, at any of them below 10^-10.
  const seen = Array.from({ length: 32 }, (_, place) => new Set(secrets.map((secret) => secret.charAt(place))).size);
  expect(seen).toEqual(Array.from({ length: 32 }, () => 62));
});

test("a secret is read back as it was stored, by each merchant only its own", async () => {
  const vault = newVault();
  const [one, two] = [createApiSecret(), createApiSecret()];
  await vault.storeSecret({ merchantId: 1, secretId: "a", secret: one });
  await vault.storeSecret({ merchantId: 2, secretId: "a", secret: two });
  for (const reader of [vault, newVault()]) {
    expect(await reader.readSecret({ merchantId: 1, secretId: "a" })).toBe(one);
    expect(await reader.readSecret({ merchantId: 2, secretId: "a" })).toBe(two);
    expect(await reader.readSecret({ merchantId: 3, secretId: "a" })).toBeNull();
  }
});

test("storing the same secret again succeeds, another one under the same id is refused and changes nothing", async () => {
  const vault = newVault();
  const secret = createApiSecret();
  const key = { merchantId: 1, secretId: "again" };
  const stored = { ok: true, value: null };
  expect(await vault.storeSecret({ ...key, secret })).toEqual(stored);
  expect(await vault.storeSecret({ ...key, secret })).toEqual(stored);
  expect(await vault.storeSecret({ ...key, secret: createApiSecret() })).toEqual({
    ok: false,
    reason: "secret_id_used",
  });
  expect(await newVault().readSecret(key)).toBe(secret);
});

test("a deleted secret is gone at once here, within a minute in another process, and its cipher text is erased", async () => {
  const [vault, other] = [newVault(), newVault()];
  const secret = createApiSecret();
  const key = { merchantId: 1, secretId: "deleted" };
  await vault.storeSecret({ ...key, secret });
  expect([await vault.readSecret(key), await other.readSecret(key)]).toEqual([secret, secret]);
  await vault.deleteSecret(key);
  expect(await vault.readSecret(key)).toBeNull();
  time.nowMs += 60_001;
  expect(await other.readSecret(key)).toBeNull();
  const { rows } = await database.ownerPool.query("SELECT envelope FROM vault.api_secret WHERE secret_id = 'deleted'");
  expect(rows).toEqual([{ envelope: null }]);
  expect(await vault.storeSecret({ ...key, secret })).toEqual({ ok: false, reason: "secret_id_used" });
});

test("a read that races with the deletion does not bring the secret back", async () => {
  const vault = newVault();
  for (let round = 0; round < 20; round += 1) {
    const key = { merchantId: 1, secretId: `racing-${round}` };
    await vault.storeSecret({ ...key, secret: createApiSecret() });
    const reads = Array.from({ length: 10 }, () => vault.readSecret(key));
    await Promise.all([...reads, vault.deleteSecret(key), vault.readSecret(key)]);
    expect(await vault.readSecret(key)).toBeNull();
  }
});

test("a secret of the wrong form is refused without being repeated", async () => {
  const storing = newVault().storeSecret({ merchantId: 1, secretId: "short", secret: "too-short" });
  await expect(storing).rejects.toThrow(/^an API secret has the wrong form$/u);
});
