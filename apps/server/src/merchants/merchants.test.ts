import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyAudit } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import { listAccounts, verifyLedger } from "#ledger/index.ts";
import { createApiSecret, createVault, createWebhookSecret, newMasterKey, type Vault } from "#vault/index.ts";
import { createMerchants, type Merchant, type Merchants, type NewMerchant } from "./index.ts";

const by = { actor: "operator", requestId: "test" };
const standIn = { kind: "stand_in", purchaseMax: 1n, cardDayMax: 2n, dayMax: 3n } as const;
const start = Date.UTC(2026, 4, 22, 12);
let database: TestDatabase;
let vault: Vault;
let merchants: Merchants;
let now = start;
const clock = { now: () => now };

beforeAll(async () => {
  database = await createTestDatabase();
  vault = createVault({ pool: database.vaultPool, masterKeys: newMasterKey("test"), clock });
  merchants = createMerchants({
    pool: database.pool,
    clock,
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

async function newMerchant(more: Partial<NewMerchant> = {}): Promise<Merchant> {
  return value(await merchants.create({ name: "Shop", mode: "CREDIT_EXTENSION", ...more }, by));
}

async function newCredential(merchantId: number, allowList: string[] = ["127.0.0.1"]) {
  return value(await merchants.createCredential({ merchantId, allowList }, by));
}

async function kindsOf(merchantId: number): Promise<string[]> {
  const accounts = await listAccounts(database.pool, { merchantId, owner: "", limit: 20 });
  return accounts.map((account) => account.kind).toSorted();
}

test("a merchant is made with the ledger accounts of its mode", async () => {
  const credit = await newMerchant();
  expect(credit).toMatchObject({ status: "Active", callbackUrl: "", pciEnabled: false, utcOffsetMinutes: 480 });
  expect(credit.merchantNo).toMatch(/^M20260522/u);
  expect(credit.appId).toMatch(/^app_[A-Za-z0-9]{16}$/u);
  const platform = ["funding", "platform_income", "reserve", "settlement"];
  expect(await kindsOf(credit.merchantId)).toEqual(
    [...platform, "credit_line", "merchant_income", "spending"].toSorted(),
  );
  const asked = await newMerchant({ mode: "AUTHORIZATION" });
  expect(await kindsOf(asked.merchantId)).toEqual(platform);
  expect(await merchants.find(asked.merchantNo)).toEqual(asked);
  expect(await merchants.get(asked.merchantId)).toEqual(asked);
  expect((await merchants.list({ page: 0, size: 2 })).map((each) => each.merchantId)).toEqual([
    asked.merchantId,
    credit.merchantId,
  ]);
});

test("settings that cannot be are refused by their reason, and nothing is made", async () => {
  const before = await merchants.list({ page: 0, size: 100 });
  const base = { name: "Shop", mode: "AUTHORIZATION" } as const;
  const attempts: [Partial<NewMerchant>, string][] = [
    [{ name: " " }, "name_invalid"],
    [{ callbackUrl: "http://plain.example/" }, "callback_url_invalid"],
    [{ cardFrameOrigins: ["https://shop.example/path"] }, "card_frame_origin_invalid"],
    [{ utcOffsetMinutes: 841 }, "utc_offset_invalid"],
    [{ failurePolicy: { ...standIn, cardDayMax: 0n } }, "failure_policy_invalid"],
    [{ failurePolicy: { ...standIn, dayMax: -1n } }, "failure_policy_invalid"],
    [{ failurePolicy: { ...standIn, purchaseMax: 10_000_000_000_000n } }, "failure_policy_invalid"],
    [{ failurePolicy: { ...standIn, kind: "decline", dayMax: -1n } }, "failure_policy_invalid"],
  ];
  for (const [wrong, reason] of attempts) {
    expect(await merchants.create({ ...base, ...wrong }, by)).toEqual({ ok: false, reason });
  }
  expect(await merchants.list({ page: 0, size: 100 })).toEqual(before);
});

test("a change touches what is given only, and a closed merchant changes no more", async () => {
  const { merchantId } = await newMerchant({ pciEnabled: true });
  const change = {
    callbackUrl: "https://shop.example/callback",
    status: "Disabled",
    failurePolicy: standIn,
  } as const;
  const changed = value(await merchants.update({ merchantId, change }, by));
  expect(changed).toMatchObject({ ...change, pciEnabled: true, name: "Shop" });
  expect(await merchants.get(merchantId)).toEqual(changed);
  expect(value(await merchants.update({ merchantId, change: { status: "Active" } }, by)).status).toBe("Active");
  expect(await merchants.update({ merchantId, change: { callbackUrl: "nowhere" } }, by)).toEqual({
    ok: false,
    reason: "callback_url_invalid",
  });
  value(await merchants.update({ merchantId, change: { status: "Closed" } }, by));
  expect(await merchants.update({ merchantId, change: { status: "Active" } }, by)).toEqual({
    ok: false,
    reason: "merchant_closed",
  });
  expect(await merchants.createCredential({ merchantId }, by)).toEqual({ ok: false, reason: "merchant_closed" });
});

test("an Api-Key finds its merchant and credential, an unknown one nobody", async () => {
  const merchant = await newMerchant({ pciEnabled: true });
  const { apiKey, apiSecret, credential } = await newCredential(merchant.merchantId, [
    "::ffff:203.0.113.7",
    "10.0.0.1/8",
  ]);
  expect(apiKey).toMatch(/^ck_[A-Za-z0-9]{32}$/u);
  expect(apiSecret).toMatch(/^[A-Za-z0-9]{32}$/u);
  expect(credential.apiKeyHint).toBe(`${apiKey.slice(0, 7)}…${apiKey.slice(-4)}`);
  expect(await merchants.authenticate(apiKey)).toEqual({
    merchant,
    credential: { ...credential, allowList: ["203.0.113.7", "10.0.0.0/8"], isPrimary: true, generation: 1 },
  });
  expect(await merchants.authenticate(`${apiKey}x`)).toBeNull();
  expect(await merchants.authenticate("")).toBeNull();
});

test("the key is stored as its hash only, and the secret in the vault only", async () => {
  const { merchantId } = await newMerchant();
  const { apiKey, apiSecret, credential } = await newCredential(merchantId);
  expect(await vault.readSecret({ merchantId, secretId: credential.credentialId })).toBe(apiSecret);
  const { rows } = await database.ownerPool.query<{ text: string }>(
    "SELECT c::text AS text FROM credential c UNION ALL SELECT e::text FROM audit_entry e UNION ALL SELECT s::text FROM vault.api_secret s",
  );
  const everything = rows.map((row) => row.text).join("\n");
  expect(everything).not.toContain(apiSecret);
  expect(everything).not.toContain(apiKey);
  expect(everything).not.toContain(Buffer.from(apiSecret).toString("hex"));
});

test("of many credentials made at once exactly one is primary, and the bound of twenty holds", async () => {
  const { merchantId } = await newMerchant();
  const made = await Promise.all(Array.from({ length: 24 }, () => merchants.createCredential({ merchantId }, by)));
  expect(made.filter((each) => each.ok)).toHaveLength(20);
  const refusals = made.flatMap((each) => (each.ok ? [] : [each.reason]));
  expect(new Set(refusals)).toEqual(new Set(["credentials_too_many"]));
  const listed = await merchants.listCredentials(merchantId);
  expect(listed.filter((credential) => credential.isPrimary)).toHaveLength(1);
  const { rows } = await database.ownerPool.query(
    "SELECT FROM vault.api_secret WHERE merchant_id = $1 AND deleted_at IS NULL",
    [merchantId],
  );
  expect(rows).toHaveLength(20);
});

test("disabling a credential starts a new generation, enabling it again keeps that one", async () => {
  const { merchantId } = await newMerchant();
  const { apiKey, credential } = await newCredential(merchantId);
  const key = { merchantId, credentialId: credential.credentialId };
  const disabled = value(await merchants.updateCredential({ ...key, change: { status: "Disabled" } }, by));
  expect(disabled).toMatchObject({ status: "Disabled", generation: 2, isPrimary: true });
  value(await merchants.updateCredential({ ...key, change: { status: "Disabled" } }, by));
  value(await merchants.updateCredential({ ...key, change: { status: "Enabled", label: "Shop server" } }, by));
  const caller = await merchants.authenticate(apiKey);
  expect(caller?.credential).toMatchObject({ status: "Enabled", generation: 2, label: "Shop server" });
});

test("an expiry is set, taken away and kept when it is not given", async () => {
  const { merchantId } = await newMerchant();
  const { credential } = await newCredential(merchantId);
  const key = { merchantId, credentialId: credential.credentialId };
  const change = { expiresAt: start + 1000 };
  expect(value(await merchants.updateCredential({ ...key, change }, by)).expiresAt).toBe(start + 1000);
  expect(value(await merchants.updateCredential({ ...key, change: { label: "x" } }, by)).expiresAt).toBe(start + 1000);
  expect(value(await merchants.updateCredential({ ...key, change: { expiresAt: null } }, by)).expiresAt).toBeNull();
  for (const expiresAt of [0, -1, 1.5, Number.NaN, 9e15]) {
    const outcome = await merchants.updateCredential({ ...key, change: { expiresAt } }, by);
    expect(outcome).toEqual({ ok: false, reason: "expiry_invalid" });
  }
});

test("the primary credential is moved, never doubled, and cannot be deleted", async () => {
  const { merchantId } = await newMerchant({ callbackUrl: "https://shop.example/callback" });
  expect(await merchants.callbackTarget(merchantId)).toBeNull();
  const first = (await newCredential(merchantId)).credential;
  const second = (await newCredential(merchantId)).credential;
  const key = (credentialId: string) => ({ merchantId, credentialId });
  expect(await merchants.deleteCredential(key(first.credentialId), by)).toEqual({
    ok: false,
    reason: "credential_is_primary",
  });
  await Promise.all([second, first, second].map((each) => merchants.setPrimary(key(each.credentialId), by)));
  value(await merchants.setPrimary(key(second.credentialId), by));
  const primaries = (await merchants.listCredentials(merchantId)).filter((credential) => credential.isPrimary);
  expect(primaries.map((credential) => credential.credentialId)).toEqual([second.credentialId]);
  expect((await merchants.callbackTarget(merchantId))?.primaryCredentialId).toBe(second.credentialId);
  value(await merchants.updateCredential({ ...key(first.credentialId), change: { status: "Disabled" } }, by));
  expect(await merchants.setPrimary(key(first.credentialId), by)).toEqual({ ok: false, reason: "credential_disabled" });
});

test("a deleted credential's key is unknown at once and its secret is gone", async () => {
  const { merchantId } = await newMerchant();
  await newCredential(merchantId);
  const { apiKey, credential } = await newCredential(merchantId);
  const key = { merchantId, credentialId: credential.credentialId };
  value(await merchants.deleteCredential(key, by));
  expect(await merchants.authenticate(apiKey)).toBeNull();
  expect(await vault.readSecret({ merchantId, secretId: credential.credentialId })).toBeNull();
  expect(await merchants.deleteCredential(key, by)).toEqual({ ok: true, value: null });
  expect(await merchants.setAllowList({ ...key, allowList: [] }, by)).toEqual({
    ok: false,
    reason: "credential_unknown",
  });
  expect(await merchants.listCredentials(merchantId)).toHaveLength(1);
});

test("another merchant's credential does not exist", async () => {
  const { merchantId } = await newMerchant();
  const other = await newMerchant();
  const { credential } = await newCredential(other.merchantId);
  const key = { merchantId, credentialId: credential.credentialId };
  expect(await merchants.deleteCredential(key, by)).toEqual({ ok: false, reason: "credential_unknown" });
  expect(await merchants.setPrimary(key, by)).toEqual({ ok: false, reason: "credential_unknown" });
});

const recharge = { amount: 123_456n, currency: "USD", reference: "wire 7" } as const;

test("twenty confirmations of one recharge at once book it once", async () => {
  const { merchantId } = await newMerchant();
  const order = value(await merchants.createRecharge({ merchantId, ...recharge }, by));
  expect(await merchants.reserveOf(merchantId)).toEqual({ available: 0n, held: 0n });
  now += 1000;
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => merchants.confirmRecharge({ rechargeNo: order.rechargeNo }, by)),
  );
  const confirmed = { ...order, status: "Confirmed", decidedAt: now };
  expect(answers).toEqual(answers.map(() => ({ ok: true, value: confirmed })));
  expect(await merchants.reserveOf(merchantId)).toEqual({ available: 123_456n, held: 0n });
  const { rows } = await database.pool.query("SELECT FROM ledger.transaction WHERE reference = $1", [order.rechargeNo]);
  expect(rows).toHaveLength(1);
  expect(await merchants.rejectRecharge({ rechargeNo: order.rechargeNo }, by)).toEqual({
    ok: false,
    reason: "recharge_confirmed",
  });
});

test("of a confirmation and a rejection at once one wins, and the reserve agrees with it", async () => {
  const { merchantId } = await newMerchant();
  for (let index = 0; index < 8; index += 1) {
    const reference = `race ${index}`;
    const { rechargeNo } = value(await merchants.createRecharge({ merchantId, ...recharge, reference }, by));
    const before = await merchants.reserveOf(merchantId);
    const [confirmed, rejected] = await Promise.all([
      merchants.confirmRecharge({ rechargeNo }, by),
      merchants.rejectRecharge({ rechargeNo }, by),
    ]);
    expect(confirmed.ok).toBe(!rejected.ok);
    const gained = ((await merchants.reserveOf(merchantId))?.available ?? 0n) - (before?.available ?? 0n);
    expect(gained).toBe(confirmed.ok ? recharge.amount : 0n);
  }
});

test("a reference names one order: the same content answers it, other content is refused", async () => {
  const { merchantId } = await newMerchant();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => merchants.createRecharge({ merchantId, ...recharge }, by)),
  );
  expect(new Set(answers.map((answer) => value(answer).rechargeNo)).size).toBe(1);
  for (const other of [{ amount: 1n }, { currency: "TUSDT" } as const]) {
    expect(await merchants.createRecharge({ merchantId, ...recharge, ...other }, by)).toEqual({
      ok: false,
      reason: "reference_reused",
    });
  }
  const elsewhere = await newMerchant();
  expect((await merchants.createRecharge({ ...recharge, merchantId: elsewhere.merchantId }, by)).ok).toBe(true);
});

test("amounts of zero, below and beyond the bound are refused, as are unknown merchants and orders", async () => {
  const { merchantId } = await newMerchant();
  for (const amount of [0n, -1n, 1_000_000_000_001n]) {
    expect(await merchants.createRecharge({ merchantId, ...recharge, amount }, by)).toEqual({
      ok: false,
      reason: "amount_invalid",
    });
  }
  expect(await merchants.createRecharge({ merchantId: 999_999, ...recharge }, by)).toMatchObject({
    reason: "merchant_unknown",
  });
  expect(await merchants.confirmRecharge({ rechargeNo: "R0" }, by)).toEqual({ ok: false, reason: "recharge_unknown" });
});

test("orders are listed newest first, by merchant and by status", async () => {
  const { merchantId, merchantNo } = await newMerchant();
  for (const reference of ["a", "b", "c"]) {
    now += 1;
    value(await merchants.createRecharge({ merchantId, ...recharge, reference }, by));
  }
  const [newest] = await merchants.listRecharges({ merchantId, page: 0, size: 10 });
  value(await merchants.rejectRecharge({ rechargeNo: newest?.rechargeNo ?? "" }, by));
  const references = async (filter: { status?: "Pending" | "Rejected"; page?: number; size?: number }) =>
    (await merchants.listRecharges({ merchantId, page: 0, size: 10, ...filter })).map((order) => order.reference);
  expect(await references({})).toEqual(["c", "b", "a"]);
  expect(await references({ status: "Pending" })).toEqual(["b", "a"]);
  expect(await references({ status: "Rejected" })).toEqual(["c"]);
  expect(await references({ page: 1, size: 2 })).toEqual(["a"]);
  expect(newest?.merchantNo).toBe(merchantNo);
});

test("every change stands in the audit, a call that changed nothing does not, and chain and ledger verify", async () => {
  const { merchantId } = await newMerchant();
  const { credential } = await newCredential(merchantId);
  const key = { merchantId, credentialId: credential.credentialId };
  value(await merchants.setAllowList({ ...key, allowList: ["10.0.0.1"] }, by));
  value(await merchants.setAllowList({ ...key, allowList: ["10.0.0.1"] }, by));
  value(await merchants.update({ merchantId, change: { name: "Shop" } }, by));
  value(await merchants.update({ merchantId, change: { name: "New name" } }, by));
  const order = value(await merchants.createRecharge({ merchantId, ...recharge }, by));
  value(await merchants.createRecharge({ merchantId, ...recharge }, by));
  value(await merchants.confirmRecharge({ rechargeNo: order.rechargeNo }, by));
  value(await merchants.confirmRecharge({ rechargeNo: order.rechargeNo }, by));
  const { rows } = await database.pool.query(
    "SELECT action, actor, request_id, detail FROM audit_entry WHERE merchant_id = $1 ORDER BY entry_no",
    [merchantId],
  );
  expect(rows.map((row) => row.action)).toEqual([
    "merchant.create",
    "credential.create",
    "webhook_secret.create",
    "credential.set_allow_list",
    "merchant.update",
    "recharge.create",
    "recharge.confirm",
  ]);
  expect(rows[4]).toEqual({
    action: "merchant.update",
    actor: "operator",
    request_id: "test",
    detail: '{"after":{"name":"New name"},"before":{"name":"Shop"}}',
  });
  expect(await verifyAudit(database.pool)).toMatchObject({ ok: true });
  expect(await verifyLedger(database.pool)).toMatchObject({ ok: true });
});

test("numbers and ids of merchants are found in both directions, unknown ones left out", async () => {
  const { merchantId, merchantNo } = await newMerchant();
  expect(await merchants.idsOf([merchantNo, "M0"])).toEqual(new Map([[merchantNo, merchantId]]));
  expect(await merchants.numbersOf([merchantId, 999_999])).toEqual(new Map([[merchantId, merchantNo]]));
});
