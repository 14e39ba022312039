import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createMerchants, type Merchants } from "#merchants/index.ts";
import { createApiSecret, createVault, createWebhookSecret, newMasterKey, type Vault } from "#vault/index.ts";
import { callbackTargetOf } from "./callback-target.ts";

const by = { actor: "operator" };
const clock = { now: () => Date.UTC(2026, 4, 22) };
let database: TestDatabase;
let vault: Vault;
let merchants: Merchants;

beforeAll(async () => {
  database = await createTestDatabase();
  vault = createVault({ pool: database.vaultPool, masterKeys: newMasterKey("test"), clock });
  merchants = createMerchants({
    pool: database.pool,
    clock,
    transportClock: clock,
    requireHttps: true,
    secrets: { create: createApiSecret, store: vault.storeSecret, delete: vault.deleteSecret },
    webhookSecrets: { create: createWebhookSecret, ...vault.webhookSecrets },
    clientKeys: vault.clientKeys,
  });
});
afterAll(() => database.drop());

async function newMerchant(callbackUrl: string) {
  const made = await merchants.create({ name: "Shop", mode: "AUTHORIZATION", callbackUrl }, by);
  if (!made.ok) throw new Error(made.reason);
  return made.value;
}

async function newCredential(merchantId: number) {
  const made = await merchants.createCredential({ merchantId }, by);
  if (!made.ok) throw new Error(made.reason);
  return { credentialId: made.value.credential.credentialId, ...made.value };
}

test("a merchant without a URL or a credential has no target; one with both has what signs and nothing else", async () => {
  const [nowhere, silent, ready] = await Promise.all(["", "https://a.example/", "https://b.example/"].map(newMerchant));
  const first = await Promise.all([nowhere, ready].map((merchant) => newCredential(merchant?.merchantId ?? 0)));
  const of = (merchantId = 0) => callbackTargetOf({ merchants, vault }, merchantId);
  expect(await of(nowhere?.merchantId)).toBeNull();
  expect(await of(silent?.merchantId)).toBeNull();
  expect(await of(ready?.merchantId)).toEqual({
    url: "https://b.example/",
    appId: ready?.appId,
    apiSecret: first[1]?.apiSecret,
    webhookSecrets: [first[1]?.webhookSecret],
  });
});

test("a merchant of before there were webhook secrets has a target that signs V1 alone", async () => {
  const { merchantId, appId } = await newMerchant("https://old.example/");
  const { apiSecret } = await newCredential(merchantId);
  await database.pool.query("DELETE FROM webhook_secret WHERE merchant_id = $1", [merchantId]);
  const target = await callbackTargetOf({ merchants, vault }, merchantId);
  expect(target).toEqual({ url: "https://old.example/", appId, apiSecret, webhookSecrets: [] });
});

test("what was replaced and erased between its name and its value is looked at again", async () => {
  const { merchantId } = await newMerchant("https://moved.example/");
  const one = await newCredential(merchantId);
  const two = await newCredential(merchantId);
  let webhookSecret = "";
  let looks = 0;
  const moving: Pick<Merchants, "callbackTarget"> = {
    callbackTarget: async (id) => {
      const named = await merchants.callbackTarget(id);
      looks += 1;
      if (looks > 1) return named;
      await merchants.setPrimary({ merchantId, credentialId: two.credentialId }, by);
      await merchants.deleteCredential({ merchantId, credentialId: one.credentialId }, by);
      const rotated = await merchants.webhookSecrets.rotate({ merchantId, overlapMs: 0, by });
      webhookSecret = rotated.ok ? rotated.value.secret : "";
      while ((await merchants.webhookSecrets.eraseExpired()) > 0);
      return named;
    },
  };
  const target = await callbackTargetOf({ merchants: moving, vault }, merchantId);
  expect(target).toMatchObject({ apiSecret: two.apiSecret, webhookSecrets: [webhookSecret] });
  expect(looks).toBe(2);
});
