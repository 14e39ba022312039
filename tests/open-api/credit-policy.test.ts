import { randomUUID } from "node:crypto";
import { type ApiAnswer, startApi, type TestApi, type TestCredential } from "@cardwright/testing/api";
import { type OperatorDesk, openOperatorDesk } from "@cardwright/testing/operator-desk";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inTransaction } from "../../apps/server/src/database/index.ts";
import { uuid7 } from "../../apps/server/src/kernel/index.ts";
import { type AccountKind, findAccount, forceTransfer, verifyLedger } from "../../apps/server/src/ledger/index.ts";

/** What bounds the credit that a merchant grants, and what can be taken back: over the merchants' and the operator's API. */

let api: TestApi;
let desk: OperatorDesk;

beforeAll(async () => {
  api = await startApi();
  desk = await openOperatorDesk(api);
});
afterAll(async () => {
  await desk.close();
  await api.close();
});

/** A merchant with a reserve and cardholders. */
async function openMerchant(options: { readonly reserve: string; readonly cardholders: number }) {
  const merchant = await api.newMerchant("CREDIT_EXTENSION");
  await api.recharge(merchant, options.reserve);
  const cardholders: string[] = [];
  for (let made = 0; made < options.cardholders; made += 1) {
    cardholders.push(await api.approvedCardholder(merchant));
  }
  return { merchant, cardholders, path: `/merchants/${merchant.merchant.merchantNo}` };
}

function transfer(merchant: TestCredential, cardholderNo: string | undefined, amount: string, more: object = {}) {
  const body = { cardholder_no: cardholderNo, transfer_unique_no: randomUUID(), type: "In", balance: amount, ...more };
  return api.post(merchant, "/account/transfer", body);
}

async function setPolicy(path: string, policy: object): Promise<void> {
  expect(await desk.call("PATCH", path, { credit_policy: policy })).toMatchObject({ status: 200 });
}

const outstanding = async (path: string) => (await desk.call("GET", `${path}/credit`)).body["outstanding"];
const codes = (answers: readonly ApiAnswer[]) => answers.map(({ code }) => code);

/** What a clearing does that cannot be refused: more is taken than there is. */
async function overdraw(merchant: TestCredential, owner: string, amount: bigint): Promise<void> {
  const { merchantId } = merchant.merchant;
  const at = api.clock.now();
  const idOf = async (kind: AccountKind, of: string) =>
    (await findAccount(api.db.pool, { merchantId, kind, owner: of }))?.accountId ?? "";
  const postings = [{ source: await idOf("cardholder", owner), destination: await idOf("spending", ""), amount }];
  const movement = { merchantId, transactionId: uuid7(at), kind: "fee", reference: "O1", at, postings } as const;
  await inTransaction(api.db.pool, (sql) => forceTransfer(sql, movement));
}

test("without a policy a merchant grants as much as it likes", async () => {
  const { merchant, cardholders, path } = await openMerchant({ reserve: "1.00", cardholders: 1 });
  expect(await transfer(merchant, cardholders[0], "1000000.00")).toMatchObject({ code: 0 });
  expect((await desk.call("GET", `${path}/credit`)).body).toEqual({
    currency: "TUSDT",
    outstanding: "1000000.00",
    reserve: "1.00",
    credit_policy: { kind: "none", ratio: "" },
  });
});

test("with the reserve as its bound all cardholders together hold at most the reserve, to the cent", async () => {
  const { merchant, cardholders, path } = await openMerchant({ reserve: "100.00", cardholders: 2 });
  const [first, second] = cardholders;
  await setPolicy(path, { kind: "reserve" });
  expect(await transfer(merchant, first, "60.00")).toMatchObject({ code: 0 });
  const refused = await transfer(merchant, second, "40.01", { transfer_unique_no: "again" });
  expect(refused).toMatchObject({ code: 3005, msg: "reserve too low" });
  expect(await outstanding(path)).toBe("60.00");
  // A refused call does not use its number up: it may come again, changed.
  expect(await transfer(merchant, second, "40.00", { transfer_unique_no: "again" })).toMatchObject({ code: 0 });
  expect(await transfer(merchant, first, "0.01")).toMatchObject({ code: 3005 });
  // A repeat of what was done is answered as it was, whatever there is room for now.
  expect(await transfer(merchant, second, "40.00", { transfer_unique_no: "again" })).toMatchObject({ code: 0 });
  expect(await transfer(merchant, first, "10.00", { type: "Out" })).toMatchObject({ code: 0 });
  expect(await transfer(merchant, second, "10.00")).toMatchObject({ code: 0 });
  await api.recharge(merchant, "5.00");
  expect(codes([await transfer(merchant, first, "5.01"), await transfer(merchant, first, "5.00")])).toEqual([3005, 0]);
});

test("a ratio bounds by so many times the reserve, exactly; taking back is never bounded", async () => {
  const { merchant, cardholders, path } = await openMerchant({ reserve: "33.33", cardholders: 1 });
  const [only] = cardholders;
  await setPolicy(path, { kind: "ratio", ratio: "1.5000" });
  // 1.5 × 33.33 = 49.995
  expect(await transfer(merchant, only, "50.00")).toMatchObject({ code: 3005 });
  expect(await transfer(merchant, only, "49.99")).toMatchObject({ code: 0 });
  await setPolicy(path, { kind: "ratio", ratio: "0.5" });
  expect(await transfer(merchant, only, "0.01")).toMatchObject({ code: 3005 });
  expect(await transfer(merchant, only, "1.00", { type: "Out" })).toMatchObject({ code: 0 });
  await setPolicy(path, { kind: "none" });
  expect(await transfer(merchant, only, "500.00")).toMatchObject({ code: 0 });
});

test("what authorizations hold counts on both sides, and a bonus counts as credit", async () => {
  const { merchant, cardholders, path } = await openMerchant({ reserve: "100.00", cardholders: 1 });
  const [only = ""] = cardholders;
  await setPolicy(path, { kind: "reserve" });
  expect(await transfer(merchant, only, "50.00")).toMatchObject({ code: 0 });
  const bonus = { type: "In", amount: "20.00", reference: "welcome", reason: "Welcome" };
  expect(await desk.call("POST", `${path}/cardholders/${only}/bonus`, bonus)).toMatchObject({ status: 200 });
  expect(await outstanding(path)).toBe("70.00");
  const { merchantId } = merchant.merchant;
  const at = api.clock.now();
  const idOf = async (kind: AccountKind, owner: string) =>
    (await findAccount(api.db.pool, { merchantId, kind, owner }))?.accountId ?? "";
  const accounts = [await idOf("cardholder", only), await idOf("reserve", "")];
  await api.db.pool.query("SELECT ledger.force_hold($1, $2, 'O1', $3, $4, $5, $6)", [
    merchantId,
    uuid7(at),
    at,
    at + 1_000,
    accounts,
    [4_000n, 4_000n],
  ]);
  expect((await desk.call("GET", `${path}/credit`)).body).toMatchObject({ outstanding: "70.00", reserve: "100.00" });
  expect(codes([await transfer(merchant, only, "30.01"), await transfer(merchant, only, "30.00")])).toEqual([3005, 0]);
});

test("of fifty racing transfers exactly those go through that fit below the bound", async () => {
  const { merchant, cardholders, path } = await openMerchant({ reserve: "100.00", cardholders: 3 });
  await setPolicy(path, { kind: "ratio", ratio: "2.5" });
  const amounts = Array.from({ length: 50 }, (_, index) => 700 + ((index * 7_919) % 1_301));
  const answers = await Promise.all(
    amounts.map((cents, index) => transfer(merchant, cardholders[index % 3], (cents / 100).toFixed(2))),
  );
  const sumOf = (code: number) =>
    answers.reduce((sum, answer, index) => sum + (answer.code === code ? (amounts[index] ?? 0) : 0), 0);
  const granted = sumOf(0);
  expect(granted + sumOf(3005)).toBe(amounts.reduce((sum, each) => sum + each, 0));
  expect(granted).toBeLessThanOrEqual(25_000);
  expect(await outstanding(path)).toBe((granted / 100).toFixed(2));
  // Credit only grew, so a refusal that was right then is right at the end: none of the refused would fit.
  const refused = amounts.filter((_, index) => answers[index]?.code === 3005);
  expect(refused.length).toBeGreaterThan(0);
  expect(Math.min(...refused)).toBeGreaterThan(25_000 - granted);
});

test("a policy that is set while transfers race binds each that begins after its answer", async () => {
  const { merchant, cardholders, path } = await openMerchant({ reserve: "50.00", cardholders: 2 });
  const early = Array.from({ length: 20 }, (_, index) => transfer(merchant, cardholders[index % 2], "1.00"));
  await setPolicy(path, { kind: "reserve" });
  const late = Array.from({ length: 60 }, (_, index) => transfer(merchant, cardholders[index % 2], "1.00"));
  const all = codes([...(await Promise.all(early)), ...(await Promise.all(late))]);
  expect(all.filter((code) => code === 0)).toHaveLength(50);
  expect(all.filter((code) => code === 3005)).toHaveLength(30);
  expect(await outstanding(path)).toBe("50.00");
});

test("a credit policy is refused when it cannot be meant, and audited when it changes", async () => {
  const { path, merchant } = await openMerchant({ reserve: "1.00", cardholders: 0 });
  for (const policy of [
    { kind: "ratio" },
    { kind: "ratio", ratio: "0" },
    { kind: "ratio", ratio: "-1" },
    { kind: "ratio", ratio: "100.0001" },
    { kind: "ratio", ratio: "1.00001" },
    { kind: "ratio", ratio: "half" },
    { kind: "none", ratio: "1" },
    { kind: "reserve", ratio: "1" },
  ]) {
    const refused = await desk.call("PATCH", path, { credit_policy: policy });
    expect(refused).toMatchObject({ status: 400, body: { error: { code: "credit_policy_invalid" } } });
  }
  expect(await desk.call("PATCH", path, { credit_policy: { kind: "all" } })).toMatchObject({ status: 400 });
  const changed = await desk.call("PATCH", path, { credit_policy: { kind: "ratio", ratio: "02.50" } });
  expect(changed).toMatchObject({ status: 200, body: { credit_policy: { kind: "ratio", ratio: "2.5" } } });
  expect((await desk.call("PATCH", path, { name: "New name" })).body).toMatchObject({
    credit_policy: { kind: "ratio", ratio: "2.5" },
  });
  const { rows } = await api.db.pool.query<{ detail: string }>(
    "SELECT detail FROM audit_entry WHERE merchant_id = $1 AND action = 'merchant.update' ORDER BY entry_no",
    [merchant.merchant.merchantId],
  );
  expect(JSON.parse(rows[0]?.detail ?? "")).toEqual({
    before: { credit_policy: { kind: "none", ratio: "" } },
    after: { credit_policy: { kind: "ratio", ratio: "2.5" } },
  });
  const made = await desk.call("POST", "/merchants", {
    name: "Bounded",
    mode: "CREDIT_EXTENSION",
    credit_policy: { kind: "reserve" },
  });
  expect(made).toMatchObject({ status: 201, body: { credit_policy: { kind: "reserve", ratio: "" } } });
  expect(await desk.call("GET", "/merchants/M1/credit")).toMatchObject({ status: 404 });
});

test("taking back is bounded by what is available: what is held stays, to the cent", async () => {
  const { merchant, cardholders } = await openMerchant({ reserve: "100.00", cardholders: 1 });
  const [only = ""] = cardholders;
  await transfer(merchant, only, "50.00");
  const { merchantId } = merchant.merchant;
  const account = await findAccount(api.db.pool, { merchantId, kind: "cardholder", owner: only });
  const at = api.clock.now();
  await api.db.pool.query("SELECT ledger.force_hold($1, $2, 'O1', $3, $4, $5, $6)", [
    merchantId,
    uuid7(at),
    at,
    at + 1_000,
    [account?.accountId],
    [3_000n],
  ]);
  expect(await transfer(merchant, only, "20.01", { type: "Out" })).toMatchObject({ code: 3002 });
  const out = await transfer(merchant, only, "20.00", { type: "Out" });
  expect(out.data).toMatchObject({ before_balance: "50.00", after_balance: "30.00" });
});

test("nothing can be taken back from an overdrawn account, and whatever comes in makes its debt smaller", async () => {
  const { merchant, cardholders, path } = await openMerchant({ reserve: "100.00", cardholders: 1 });
  const [only = ""] = cardholders;
  await transfer(merchant, only, "20.00");
  await overdraw(merchant, only, 5_000n);
  expect(await outstanding(path)).toBe("-30.00");
  expect(await transfer(merchant, only, "0.01", { type: "Out" })).toMatchObject({ code: 3002 });
  const little = await transfer(merchant, only, "10.00");
  expect(little).toMatchObject({ code: 0, data: { before_balance: "-30.00", after_balance: "-20.00" } });
  expect(await transfer(merchant, only, "0.01", { type: "Out" })).toMatchObject({ code: 3002 });
  await transfer(merchant, only, "25.00");
  const all = await Promise.all(Array.from({ length: 8 }, () => transfer(merchant, only, "1.00", { type: "Out" })));
  expect(codes(all).filter((code) => code === 0)).toHaveLength(5);
  expect(codes(all).filter((code) => code === 3002)).toHaveLength(3);
  expect(await transfer(merchant, only, "0.01", { type: "Out" })).toMatchObject({ code: 3002 });
});

test("after all of this every balance is the fold of its postings", async () => {
  expect(await verifyLedger(api.db.pool)).toMatchObject({ ok: true });
});
