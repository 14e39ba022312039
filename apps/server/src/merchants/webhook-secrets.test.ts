import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyAudit } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import { createApiSecret, createVault, createWebhookSecret, newMasterKey, type Vault } from "#vault/index.ts";
import { createMerchants, type Merchants, type MerchantsOptions } from "./index.ts";

const by = { actor: "operator", requestId: "test" };
const dayMs = 86_400_000;
const start = Date.UTC(2026, 4, 22, 12);
let database: TestDatabase;
let vault: Vault;
let merchants: Merchants;
/** The machine's clock. Business time stands still two years later, as a sandbox may have moved it. */
let machineMs = start;
const clock = { now: () => start + 730 * dayMs };

beforeAll(async () => {
  database = await createTestDatabase();
  vault = createVault({ pool: database.vaultPool, masterKeys: newMasterKey("test"), clock });
  merchants = createMerchants(options());
});
afterAll(() => database.drop());

function options(changes: Partial<MerchantsOptions> = {}): MerchantsOptions {
  return {
    pool: database.pool,
    clock,
    transportClock: { now: () => machineMs },
    requireHttps: true,
    secrets: { create: createApiSecret, store: vault.storeSecret, delete: vault.deleteSecret },
    webhookSecrets: { create: createWebhookSecret, ...vault.webhookSecrets },
    clientKeys: vault.clientKeys,
    ...changes,
  };
}

function value<Value>(result: Result<Value, unknown>): Value {
  if (!result.ok) throw new Error(`refused: ${String(result.reason)}`);
  return result.value;
}

async function enrol(): Promise<{ merchantId: number; secret: string }> {
  const merchant = value(
    await merchants.create({ name: "Shop", mode: "AUTHORIZATION", callbackUrl: "https://shop.example/" }, by),
  );
  const { webhookSecret } = value(await merchants.createCredential({ merchantId: merchant.merchantId }, by));
  if (webhookSecret === null) throw new Error("the first credential came without a webhook secret");
  return { merchantId: merchant.merchantId, secret: webhookSecret };
}

async function rotate(merchantId: number, overlapMs: number) {
  machineMs += 1_000;
  return value(await merchants.webhookSecrets.rotate({ merchantId, overlapMs, by }));
}

/** The values of what signs now, in the order of the signatures. */
async function signing(merchantId: number): Promise<(string | null)[]> {
  const ids = (await merchants.callbackTarget(merchantId))?.webhookSecretIds ?? [];
  return Promise.all(ids.map((secretId) => vault.webhookSecrets.read({ merchantId, secretId })));
}

async function inVault(merchantId: number): Promise<{ kept: number; erased: number }> {
  const { rows } = await database.ownerPool.query<{ kept: bigint; erased: bigint }>(
    `SELECT count(envelope) AS kept, count(*) - count(envelope) AS erased FROM vault.webhook_secret WHERE merchant_id = $1`,
    [merchantId],
  );
  return { kept: Number(rows[0]?.kept), erased: Number(rows[0]?.erased) };
}

test("a merchant gets its webhook secret with its first credential, and none with the others", async () => {
  const { merchantId, secret } = await enrol();
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/u);
  expect(value(await merchants.createCredential({ merchantId }, by)).webhookSecret).toBeNull();
  expect(await merchants.webhookSecrets.list(merchantId)).toEqual([
    { secretId: expect.any(String), createdAtMs: machineMs, expiresAtMs: null },
  ]);
  expect(await signing(merchantId)).toEqual([secret]);
});

test("of many first credentials at once one brings the secret, and the vault keeps no other", async () => {
  const { merchantId } = value(await merchants.create({ name: "Shop", mode: "AUTHORIZATION" }, by));
  const made = await Promise.all(Array.from({ length: 10 }, () => merchants.createCredential({ merchantId }, by)));
  expect(made.filter((each) => each.ok && each.value.webhookSecret !== null)).toHaveLength(1);
  expect(await merchants.webhookSecrets.list(merchantId)).toHaveLength(1);
  expect((await inVault(merchantId)).kept).toBe(1);
});

test("during the overlap both sign, the new one first; after it, by the machine's clock, the new one alone", async () => {
  const { merchantId, secret } = await enrol();
  const rotated = await rotate(merchantId, 3 * dayMs);
  expect(rotated.previousExpiresAtMs).toBe(machineMs + 3 * dayMs);
  expect(await signing(merchantId)).toEqual([rotated.secret, secret]);
  machineMs += 3 * dayMs - 1;
  expect(await signing(merchantId)).toEqual([rotated.secret, secret]);
  expect(await merchants.webhookSecrets.list(merchantId)).toMatchObject([
    { secretId: rotated.secretId, expiresAtMs: null },
    { expiresAtMs: rotated.previousExpiresAtMs },
  ]);
  machineMs += 1;
  expect(await signing(merchantId)).toEqual([rotated.secret]);
  expect(await merchants.webhookSecrets.list(merchantId)).toMatchObject([{ secretId: rotated.secretId }]);
});

test("an overlap of nothing ends the previous secret at once", async () => {
  const { merchantId } = await enrol();
  const rotated = await rotate(merchantId, 0);
  expect(rotated.previousExpiresAtMs).toBe(machineMs);
  expect(await signing(merchantId)).toEqual([rotated.secret]);
});

test("rotating while two are valid ends the older one at once: never more than two sign", async () => {
  const { merchantId, secret } = await enrol();
  const second = await rotate(merchantId, 7 * dayMs);
  const third = await rotate(merchantId, dayMs);
  expect(await signing(merchantId)).toEqual([third.secret, second.secret]);
  expect(await signing(merchantId)).not.toContain(secret);
  expect((await merchants.webhookSecrets.list(merchantId)).map(({ expiresAtMs }) => expiresAtMs)).toEqual([
    null,
    machineMs + dayMs,
  ]);
});

test("of rotations at once each makes a secret, exactly one is current, and at most two are valid", async () => {
  const { merchantId } = await enrol();
  machineMs += 1_000;
  const rotations = await Promise.all(
    Array.from({ length: 8 }, () => merchants.webhookSecrets.rotate({ merchantId, overlapMs: dayMs, by })),
  );
  expect(new Set(rotations.map((each) => value(each).secret)).size).toBe(8);
  const valid = await merchants.webhookSecrets.list(merchantId);
  expect(valid.map(({ expiresAtMs }) => expiresAtMs === null)).toEqual([true, false]);
  expect(await signing(merchantId)).toHaveLength(2);
});

test("expired ones are erased from the vault, valid ones never, and a worker that dies in between does it again", async () => {
  const { merchantId } = await enrol();
  const second = await rotate(merchantId, 0);
  const third = await rotate(merchantId, dayMs);
  // Another worker has erased the secret and died before it removed the row.
  const dying = createMerchants(
    options({
      webhookSecrets: {
        create: createWebhookSecret,
        ...vault.webhookSecrets,
        delete: async (key) => {
          await vault.webhookSecrets.delete(key);
          throw new Error("killed");
        },
      },
    }),
  );
  await expect(dying.webhookSecrets.eraseExpired()).rejects.toThrow("killed");
  while ((await merchants.webhookSecrets.eraseExpired()) > 0);
  expect(await inVault(merchantId)).toEqual({ kept: 2, erased: 1 });
  expect(await signing(merchantId)).toEqual([third.secret, second.secret]);
  machineMs += dayMs;
  while ((await merchants.webhookSecrets.eraseExpired()) > 0);
  expect(await inVault(merchantId)).toEqual({ kept: 1, erased: 2 });
  const { rows } = await database.pool.query("SELECT secret_id FROM webhook_secret WHERE merchant_id = $1", [
    merchantId,
  ]);
  expect(rows).toEqual([{ secret_id: third.secretId }]);
});

test("a process that dies between the vault and the row leaves the current secret in force", async () => {
  const { merchantId, secret } = await enrol();
  const dying = createMerchants(
    options({
      webhookSecrets: {
        ...vault.webhookSecrets,
        create: createWebhookSecret,
        store: async (stored) => {
          await vault.webhookSecrets.store(stored);
          throw new Error("killed");
        },
      },
    }),
  );
  await expect(dying.webhookSecrets.rotate({ merchantId, overlapMs: 0, by })).rejects.toThrow("killed");
  expect(await signing(merchantId)).toEqual([secret]);
  expect(await signing((await enrol()).merchantId)).toHaveLength(1);
});

test("what cannot be is refused and leaves nothing in the vault", async () => {
  const { merchantId } = await enrol();
  for (const overlapMs of [-1, 7 * dayMs + 1, 0.5, Number.NaN]) {
    expect(await merchants.webhookSecrets.rotate({ merchantId, overlapMs, by })).toEqual({
      ok: false,
      reason: "overlap_invalid",
    });
  }
  const unknown = await merchants.webhookSecrets.rotate({ merchantId: 999_999, overlapMs: 0, by });
  expect(unknown).toEqual({ ok: false, reason: "merchant_unknown" });
  value(await merchants.update({ merchantId, change: { status: "Closed" } }, by));
  const closed = await merchants.webhookSecrets.rotate({ merchantId, overlapMs: 0, by });
  expect(closed).toEqual({ ok: false, reason: "merchant_closed" });
  expect((await inVault(merchantId)).kept).toBe(1);
});

test("whoever rotates faster than the worker erases is refused until it has", async () => {
  const { merchantId } = await enrol();
  for (let count = 1; count < 20; count += 1) await rotate(merchantId, 0);
  const refusal = { ok: false, reason: "webhook_secrets_too_many" };
  expect(await merchants.webhookSecrets.rotate({ merchantId, overlapMs: 0, by })).toEqual(refusal);
  while ((await merchants.webhookSecrets.eraseExpired()) > 0);
  expect((await merchants.webhookSecrets.rotate({ merchantId, overlapMs: 0, by })).ok).toBe(true);
});

test("every rotation stands in the audit, no secret does, and the chain verifies", async () => {
  const { merchantId, secret } = await enrol();
  const rotated = await rotate(merchantId, dayMs);
  const { rows } = await database.pool.query<{ action: string; subject: string; detail: string }>(
    "SELECT action, subject, detail FROM audit_entry WHERE merchant_id = $1 ORDER BY entry_no",
    [merchantId],
  );
  expect(rows.map((row) => row.action)).toEqual([
    "merchant.create",
    "credential.create",
    "webhook_secret.create",
    "webhook_secret.rotate",
  ]);
  const { subject: previous } = rows[2] ?? {};
  expect(rows[3]).toEqual({
    action: "webhook_secret.rotate",
    subject: rotated.secretId,
    detail: JSON.stringify({ previous, previous_expires_at: rotated.previousExpiresAtMs }),
  });
  const { rows: everything } = await database.ownerPool.query<{ text: string }>(
    `SELECT e::text AS text FROM audit_entry e UNION ALL SELECT w::text FROM webhook_secret w
     UNION ALL SELECT v::text FROM vault.webhook_secret v`,
  );
  const text = everything.map((row) => row.text).join("\n");
  for (const shown of [secret, rotated.secret]) {
    expect(text).not.toContain(shown.slice(6));
    expect(text).not.toContain(Buffer.from(shown).toString("hex"));
  }
  expect(await verifyAudit(database.pool)).toMatchObject({ ok: true });
});
