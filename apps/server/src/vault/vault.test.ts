import { createCipheriv, createDecipheriv } from "node:crypto";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CardData, createApiSecret, newMasterKey } from "./index.ts";
import { sealingFamilies } from "./keyring.ts";
import { createVault, type Vault } from "./vault.ts";

const database: TestDatabase = await createTestDatabase();
afterAll(() => database.drop());

const time = { nowMs: Date.UTC(2026, 4, 22) };
const clock = { now: () => time.nowMs };
const masterKeys = newMasterKey("test");
const expiry = { year: 2028, month: 3 };
const card = { merchantId: 1, cardNo: "C202605220001" };
const secret = createApiSecret();
const held = { merchantId: 1, secretId: "credential-1" };

function newVault(): Vault {
  return createVault({ pool: database.vaultPool, masterKeys, clock });
}
const vault = newVault();

async function reveal(): Promise<CardData> {
  const data = await vault.revealForSandboxNetwork(card);
  if (!data.ok) throw new Error(data.reason);
  return data.value;
}

/** What the merchant's own library does. */
function asMerchant(text: string): string {
  const cipher = createCipheriv("aes-256-ecb", Buffer.from(secret), null);
  return cipher.update(text, "utf8", "base64") + cipher.final("base64");
}

beforeAll(async () => {
  await vault.warmUp();
  await vault.issueCard({ ...card, bin: "45673512", panLength: 16, expiry });
  await vault.storeSecret({ ...held, secret });
});

test("the application's role may not even look at a table of the vault, nor at its schema", async () => {
  const { rows } = await database.ownerPool.query<{ name: string }>(
    "SELECT format('vault.%I', relname) AS name FROM pg_class WHERE relnamespace = 'vault'::regnamespace AND relkind = 'r'",
  );
  expect(rows.length).toBeGreaterThanOrEqual(4);
  for (const { name } of rows) {
    for (const sql of [
      `SELECT 1 FROM ${name}`,
      `DELETE FROM ${name}`,
      `INSERT INTO ${name} DEFAULT VALUES`,
      `TRUNCATE ${name}`,
    ]) {
      await expect(database.pool.query(sql)).rejects.toMatchObject({ code: "42501" });
    }
  }
  const { rows: rights } = await database.ownerPool.query<{ may: boolean }>(
    "SELECT has_schema_privilege('cardwright_app', 'vault', 'USAGE') AS may",
  );
  expect(rights).toEqual([{ may: false }]);
});

test("the vault's role may not delete, not change a card's number or owner, and has no right on any table elsewhere", async () => {
  for (const sql of [
    "DELETE FROM vault.card",
    "TRUNCATE vault.card",
    "UPDATE vault.card SET merchant_id = 2",
    "UPDATE vault.card SET pan_fingerprint = ''",
    "UPDATE vault.data_key SET generation = 2",
    "DROP TABLE vault.card",
    "CREATE TABLE vault.mine (a integer)",
  ]) {
    await expect(database.vaultPool.query(sql)).rejects.toMatchObject({ code: "42501" });
  }
  const { rows } = await database.ownerPool.query<{ name: string }>(
    `SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname NOT IN ('vault', 'pg_catalog', 'information_schema')
        AND has_table_privilege('cardwright_vault', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE')`,
  );
  expect(rows).toEqual([]);
});

test("no card number, CVV, PIN or secret stands in the database in plain", async () => {
  await vault.setPin({ ...card, pin: "135791" });
  const { pan } = await reveal();
  for (const table of ["card", "card_pin", "api_secret", "data_key"]) {
    const { rows } = await database.ownerPool.query<{ row: string }>(`SELECT t::text AS row FROM vault.${table} t`);
    const stored = rows.map((row) => row.row).join("\n");
    expect(stored.length).toBeGreaterThan(50);
    for (const plain of [pan, secret, "135791"]) {
      expect(stored).not.toContain(plain);
      expect(stored).not.toContain(Buffer.from(plain).toString("hex"));
    }
  }
});

test("a number is identified by its card, in one statement for many, in their order, and by none when it was seen lately", async () => {
  const { pan } = await reveal();
  let statements = 0;
  const counting = new Proxy(database.vaultPool, {
    get(pool, name) {
      if (name === "query") statements += 1;
      const member: unknown = Reflect.get(pool, name);
      return typeof member === "function" ? member.bind(pool) : member;
    },
  });
  const counted = createVault({ pool: counting, masterKeys, clock });
  await counted.warmUp();
  statements = 0;
  const pans = ["4111111111111111", pan, "", pan, "not a number", `${pan}0`, "4111111111111112"];
  expect(await counted.identifyMany({ pans })).toEqual([null, card, null, card, null, null, null]);
  expect(statements).toBe(1);
  expect(await counted.identify({ pan })).toEqual(card);
  expect(statements).toBe(1);
  expect(await counted.identify({ pan: "4111111111111112" })).toBeNull();
  expect(statements).toBe(1);
  const { cvv } = await reveal();
  expect(await counted.verifyCvvOfPan({ pan, expiry, cvv })).toEqual({ ok: true, value: null });
  expect(statements).toBe(1);
  await expect(counted.identifyMany({ pans: Array.from({ length: 1001 }, () => pan) })).rejects.toThrow("1000");
  const burst = createVault({ pool: counting, masterKeys, clock });
  await burst.warmUp();
  statements = 0;
  const identified = await Promise.all(Array.from({ length: 600 }, () => burst.identify({ pan })));
  expect(new Set(identified)).toEqual(new Set([card]));
  expect(statements).toBe(1);
});

test("the CVV is the same each time and in each process, and only the right one with the right expiry is accepted", async () => {
  const { pan, cvv } = await reveal();
  expect(cvv).toMatch(/^[0-9]{3}$/u);
  const wrong = String((Number(cvv) + 1) % 1000).padStart(3, "0");
  const mismatch = { ok: false, reason: "cvv_mismatch" };
  for (const process of [vault, newVault()]) {
    expect(await process.verifyCvv({ ...card, cvv })).toEqual({ ok: true, value: null });
    expect(await process.verifyCvvOfPan({ pan, expiry, cvv })).toEqual({ ok: true, value: null });
    expect(await process.verifyCvv({ ...card, cvv: wrong })).toEqual(mismatch);
    expect(await process.verifyCvvOfPan({ pan, expiry, cvv: wrong })).toEqual(mismatch);
    expect(await process.verifyCvvOfPan({ pan: "not a number", expiry, cvv })).toEqual(mismatch);
    expect(await process.verifyCvvOfPan({ pan, expiry: { year: Number.NaN, month: 3 }, cvv })).toEqual(mismatch);
  }
  // One of 36 other expiries may have the same three digits by chance; that all do is impossible unless it is ignored.
  const others = Array.from({ length: 36 }, (_, month) => ({
    year: 2030 + Math.floor(month / 12),
    month: (month % 12) + 1,
  }));
  const outcomes = await Promise.all(others.map((expiry) => vault.verifyCvvOfPan({ pan, expiry, cvv })));
  expect(outcomes.some((outcome) => !outcome.ok)).toBe(true);
  expect(await vault.verifyCvv({ merchantId: 2, cardNo: card.cardNo, cvv })).toEqual({
    ok: false,
    reason: "card_unknown",
  });
});

test("private info is the contract's JSON text, encrypted with the named secret, readable by an independent library", async () => {
  const data = await reveal();
  const info = await vault.privateInfo({ ...card, cardUniqueNo: 'user "1" 卡', secretId: held.secretId });
  if (!info.ok) throw new Error(info.reason);
  const decipher = createDecipheriv("aes-256-ecb", Buffer.from(secret), null);
  const text = decipher.update(info.value, "base64", "utf8") + decipher.final("utf8");
  expect(text).toBe(
    `{"card_no":"C202605220001","card_unique_no":"user \\"1\\" 卡","cvv":"${data.cvv}","pan":"${data.pan}","exp_year":"2028","exp_month":"03"}`,
  );
});

test("private info without the card or without the secret is refused", async () => {
  const request = { cardUniqueNo: "u", secretId: held.secretId };
  expect(await vault.privateInfo({ ...request, merchantId: 1, cardNo: "C-none" })).toEqual({
    ok: false,
    reason: "card_unknown",
  });
  expect(await vault.privateInfo({ ...request, ...card, merchantId: 2 })).toEqual({
    ok: false,
    reason: "card_unknown",
  });
  expect(await vault.privateInfo({ ...request, ...card, secretId: "none" })).toEqual({
    ok: false,
    reason: "secret_unknown",
  });
});

test("a submitted CVV is accepted only encrypted, with the credential's secret, of three digits and right", async () => {
  const { cvv } = await reveal();
  const wrong = String((Number(cvv) + 1) % 1000).padStart(3, "0");
  const verify = (cipherText: string, change = {}) =>
    vault.verifySubmittedCvv({ ...card, secretId: held.secretId, cipherText, ...change });
  expect(await verify(asMerchant(cvv))).toEqual({ ok: true, value: null });
  expect(await verify(asMerchant(wrong))).toEqual({ ok: false, reason: "cvv_mismatch" });
  for (const text of ["", "12", "1234", "12a", ` ${cvv}`, "１２３"]) {
    expect(await verify(asMerchant(text))).toEqual({ ok: false, reason: "cvv_malformed" });
  }
  expect(await verify(cvv)).toEqual({ ok: false, reason: "cannot_be_decrypted" });
  expect(await verify(asMerchant(cvv), { secretId: "none" })).toEqual({ ok: false, reason: "secret_unknown" });
  expect(await verify(asMerchant(cvv), { cardNo: "C-none" })).toEqual({ ok: false, reason: "card_unknown" });
});

test("a submitted PIN is accepted only encrypted and in the contract's format, and is the card's PIN from then on", async () => {
  const set = (cipherText: string, change = {}) =>
    vault.setSubmittedPin({ ...card, secretId: held.secretId, cipherText, ...change });
  expect(await set(asMerchant("246813"))).toEqual({ ok: true, value: null });
  expect(await vault.verifyPin({ ...card, pin: "246813" })).toEqual({ ok: true, value: null });
  for (const pin of ["246812", "123579", "111357", "24681", ""]) {
    const expected = pin === "246812" ? { ok: true, value: null } : { ok: false, reason: "pin_format" };
    expect(await set(asMerchant(pin))).toEqual(expected);
  }
  expect(await set("246813")).toEqual({ ok: false, reason: "cannot_be_decrypted" });
  expect(await set(asMerchant("246813"), { cardNo: "C-none" })).toEqual({ ok: false, reason: "card_unknown" });
  expect(await set(asMerchant("246813"), { secretId: "none" })).toEqual({ ok: false, reason: "secret_unknown" });
  expect(await vault.verifyPin({ ...card, pin: "246812" })).toEqual({ ok: true, value: null });
});

test("a record that was moved to another card in the database is refused", async () => {
  const other = { merchantId: 1, cardNo: "C-moved" };
  await vault.issueCard({ ...other, bin: "45673512", panLength: 16, expiry });
  await database.ownerPool.query(
    `UPDATE vault.card SET pan_envelope = (SELECT pan_envelope FROM vault.card WHERE card_no = $1) WHERE card_no = $2`,
    [card.cardNo, other.cardNo],
  );
  await expect(vault.revealForCardFrame(other)).rejects.toThrow("was changed or does not belong here");
});

test("everything stays readable through both rotations", async () => {
  const before = await reveal();
  await vault.setPin({ ...card, pin: "864209" });
  for (const family of sealingFamilies) expect(await vault.rotateDataKey(family)).toBe(2);
  const rotated = createVault({ pool: database.vaultPool, masterKeys: `${newMasterKey("next")},${masterKeys}`, clock });
  expect(await rotated.rotateMasterKey()).toBe(2 * sealingFamilies.length + 1);
  expect(await rotated.revealForCardFrame(card)).toEqual({ ok: true, value: before });
  expect(await rotated.identify({ pan: before.pan })).toEqual(card);
  expect(await rotated.verifyPin({ ...card, pin: "864209" })).toEqual({ ok: true, value: null });
  expect(await rotated.readSecret(held)).toBe(secret);
  expect(await rotated.tokenKey("access")).toBe(await vault.tokenKey("access"));
});

test("a token key is 32 bytes and its own for each name", async () => {
  const [access, client] = [await vault.tokenKey("access"), await vault.tokenKey("client")];
  expect(Buffer.from(access, "base64")).toHaveLength(32);
  expect(access).not.toBe(client);
});

test("every result can travel as JSON", async () => {
  const { pan, cvv } = await reveal();
  const results: unknown[] = [
    await vault.identifyMany({ pans: [pan, "0"] }),
    await vault.revealForCardFrame(card),
    await vault.verifyCvv({ ...card, cvv }),
    await vault.issueCard({ ...card, bin: "45673512", panLength: 16, expiry }),
    await vault.readSecret(held),
    await vault.tokenKey("access"),
    await vault.privateInfo({ ...card, cardUniqueNo: "u", secretId: held.secretId }),
  ];
  expect(JSON.parse(JSON.stringify(results))).toStrictEqual(results);
});
