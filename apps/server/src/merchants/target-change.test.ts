import { createAuthority } from "@cardwright/testing/certificates";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inTransaction, type Listening, listen } from "#database/index.ts";
import { createApiSecret, createVault, createWebhookSecret, newMasterKey } from "#vault/index.ts";
import { callbackTargetChannel, createMerchants, type Merchants } from "./index.ts";
import { tellTargetChange } from "./target-change.ts";

const by = { actor: "operator" };
const nowMs = Date.UTC(2026, 4, 22, 12);
const clock = { now: () => nowMs };
/** A merchant that there is not: what was told before it has been heard when it is. */
const last = 999_999_999;

let database: TestDatabase;
let merchants: Merchants;
let listening: Listening;
const heard: number[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const vault = createVault({ pool: database.vaultPool, masterKeys: newMasterKey("test"), clock });
  merchants = createMerchants({
    pool: database.pool,
    clock,
    transportClock: clock,
    requireHttps: true,
    secrets: { create: createApiSecret, store: vault.storeSecret, delete: vault.deleteSecret },
    webhookSecrets: { create: createWebhookSecret, ...vault.webhookSecrets },
    clientKeys: vault.clientKeys,
  });
  await new Promise<void>((onListening, onError) => {
    const onNotice = (text: string) => heard.push(Number(text));
    listening = listen({ pool: database.pool, channel: callbackTargetChannel, onNotice, onListening, onError });
  });
});

afterAll(async () => {
  await listening.stop();
  await database.drop();
});

/** How often it was told that this merchant's callbacks go by something else, while `work` ran. */
async function timesTold(merchantId: number, work: () => Promise<unknown>): Promise<number> {
  heard.length = 0;
  await work();
  await tellTargetChange(database.pool, last);
  await expect.poll(() => heard.at(-1), { timeout: 20_000, interval: 10 }).toBe(last);
  return heard.filter((id) => id === merchantId).length;
}

async function newMerchant(): Promise<number> {
  const callbackUrl = "https://shop.example/callback";
  const made = await merchants.create({ name: "Shop", mode: "AUTHORIZATION", callbackUrl }, by);
  if (!made.ok) throw new Error(made.reason);
  return made.value.merchantId;
}

test("every change of what callbacks go by is told once, and nothing else", async () => {
  const merchantId = await newMerchant();
  const pair = await (await createAuthority()).issue({
    validFromMs: nowMs - 86_400_000,
    validToMs: nowMs + 86_400_000,
  });
  const told = (work: () => Promise<unknown>) => timesTold(merchantId, work);
  const changed = (change: Parameters<Merchants["update"]>[0]["change"]) =>
    merchants.update({ merchantId, change }, by);

  const addCredential = () => merchants.createCredential({ merchantId }, by);
  expect(await told(addCredential)).toBe(1);
  expect(await told(addCredential)).toBe(0);
  const second = (await merchants.listCredentials(merchantId)).find(({ isPrimary }) => !isPrimary);
  const credentialId = second?.credentialId ?? "";

  expect(await told(() => changed({ callbackUrl: "https://other.example/" }))).toBe(1);
  const next = (): string => "https://third.example/";
  const replaced = () =>
    inTransaction(database.pool, (tx) => merchants.replaceCallbackUrl(tx, { merchantId, next, by }));
  expect(await told(replaced)).toBe(1);
  expect(await told(() => merchants.setPrimary({ merchantId, credentialId }, by))).toBe(1);
  expect(await told(() => merchants.webhookSecrets.rotate({ merchantId, overlapMs: 0, by }))).toBe(1);
  expect(await told(() => merchants.clientCertificates.set({ merchantId, ...pair }, by))).toBe(1);
  expect(await told(() => merchants.clientCertificates.remove({ merchantId }, by))).toBe(1);

  expect(await told(() => changed({ name: "Store" }))).toBe(0);
  expect(await told(() => changed({ callbackUrl: "not a URL" }))).toBe(0);
});

test("a change that was rolled back is not told", async () => {
  const merchantId = await newMerchant();
  const undone = () =>
    inTransaction(
      database.pool,
      (tx) => merchants.replaceCallbackUrl(tx, { merchantId, next: () => "https://never.example/", by }),
      { commitWhen: () => false },
    );
  expect(await timesTold(merchantId, undone)).toBe(0);
});
