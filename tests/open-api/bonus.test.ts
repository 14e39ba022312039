import { startApi, type TestApi, type TestCredential } from "@cardwright/testing/api";
import { type OperatorDesk, openOperatorDesk } from "@cardwright/testing/operator-desk";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { verifyAudit } from "../../apps/server/src/audit/index.ts";
import { repayFromBonus } from "../../apps/server/src/credit/index.ts";
import { inTransaction } from "../../apps/server/src/database/index.ts";
import { uuid7 } from "../../apps/server/src/kernel/index.ts";
import { findAccount, forceTransfer, verifyLedger } from "../../apps/server/src/ledger/index.ts";

/** Bonus credit: given and taken back by the operator, seen by the merchant, spent by purchases that clear. */

let api: TestApi;
let desk: OperatorDesk;
let merchant: TestCredential;
let cardholderNo: string;
let path: string;

beforeAll(async () => {
  api = await startApi();
  desk = await openOperatorDesk(api);
  merchant = await api.newMerchant("CREDIT_EXTENSION");
});
beforeEach(async () => {
  cardholderNo = await api.approvedCardholder(merchant);
  path = `/merchants/${merchant.merchant.merchantNo}/cardholders/${cardholderNo}/bonus`;
});
afterAll(async () => {
  await desk.close();
  await api.close();
});

let references = 0;

function bonus(amount: string, more: object = {}) {
  references += 1;
  const body = { type: "In", amount, reference: `bonus ${references}`, reason: "Welcome campaign", ...more };
  return desk.call("POST", path, body);
}

async function transferIn(amount: string): Promise<void> {
  references += 1;
  const body = { cardholder_no: cardholderNo, transfer_unique_no: `t-${references}`, type: "In", balance: amount };
  expect(await api.post(merchant, "/account/transfer", body)).toMatchObject({ code: 0 });
}

async function account(): Promise<unknown> {
  const { data } = await api.get(merchant, `/account/${cardholderNo}/info`);
  return data["list"]?.["0"];
}

function repay(amount: bigint): Promise<bigint> {
  const { merchantId } = merchant.merchant;
  const repayment = { merchantId, cardholderNo, amount, reference: "O20260522-1", at: api.clock.now() };
  return inTransaction(api.db.pool, (sql) => repayFromBonus(sql, repayment));
}

test("a bonus is given, shown to the merchant beside the balance and in the total, listed and audited", async () => {
  await transferIn("10.00");
  const given = await bonus("20.5", { reference: "campaign 7" });
  expect(given).toEqual({
    status: 200,
    body: {
      bonus_no: expect.stringMatching(/^G20260522/u),
      merchant_no: merchant.merchant.merchantNo,
      cardholder_no: cardholderNo,
      type: "In",
      amount: "20.50",
      reference: "campaign 7",
      reason: "Welcome campaign",
      created_at: api.clock.now(),
    },
  });
  expect(await account()).toMatchObject({ balance: "10.00", bonus_balance: "20.50", usd_bonus_balance: "20.50" });
  const info = await api.get(merchant, `/cardholder/${cardholderNo}/info`);
  expect(info.data).toMatchObject({ total_balance: "30.50", account_list: [{ bonus_balance: "20.50" }] });
  expect((await desk.call("GET", path)).body).toEqual({ bonus_balance: "20.50", list: [given.body] });
  const { rows } = await api.db.pool.query<{ action: string; detail: string }>(
    "SELECT action, detail FROM audit_entry WHERE merchant_id = $1 AND subject = $2",
    [merchant.merchant.merchantId, given.body["bonus_no"]],
  );
  expect(rows.map(({ action, detail }) => [action, JSON.parse(detail)])).toEqual([
    [
      "bonus.grant",
      {
        cardholder_no: cardholderNo,
        amount: "20.50",
        currency: "TUSDT",
        reference: "campaign 7",
        reason: "Welcome campaign",
      },
    ],
  ]);
});

test("the same call again, also ten at once, moves the money once and answers the same; another content is refused", async () => {
  const same = { reference: `once ${cardholderNo}` };
  const answers = await Promise.all(Array.from({ length: 10 }, () => bonus("5.00", same)));
  expect(new Set(answers.map(({ body }) => body["bonus_no"])).size).toBe(1);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(await bonus("5", same)).toEqual(answers[0]);
  for (const other of [{ type: "Out" }, { amount: "5.01" }, { reason: "Another" }]) {
    const refused = await bonus("5.00", { ...same, ...other });
    expect(refused).toMatchObject({ status: 409, body: { error: { code: "bonus_reference_reused" } } });
  }
  expect(await account()).toMatchObject({ bonus_balance: "5.00" });
});

test("at most what is left is taken back, also by calls that race", async () => {
  await bonus("5.00");
  const refused = await bonus("5.01", { type: "Out", reference: `back ${cardholderNo}` });
  expect(refused).toMatchObject({ status: 409, body: { error: { code: "bonus_too_low", field: "amount" } } });
  // A refused call does not use its reference up.
  expect(await bonus("1.00", { type: "Out", reference: `back ${cardholderNo}` })).toMatchObject({ status: 200 });
  const racing = await Promise.all(Array.from({ length: 8 }, () => bonus("1.00", { type: "Out" })));
  expect(racing.filter(({ status }) => status === 200)).toHaveLength(4);
  expect(racing.filter(({ status }) => status === 409)).toHaveLength(4);
  expect(await account()).toMatchObject({ bonus_balance: "0.00" });
});

test("a merchant's transfers neither see nor touch the bonus", async () => {
  await bonus("20.00");
  const body = { cardholder_no: cardholderNo, transfer_unique_no: "touch", type: "Out", balance: "1.00" };
  expect(await api.post(merchant, "/account/transfer", body)).toMatchObject({ code: 3002 });
  const list = await api.post(merchant, "/account/transfer/list", {
    cardholder_no: cardholderNo,
    start_time: "2026-05-22",
    end_time: "2026-05-22",
  });
  expect(list.data["list"]).toEqual([]);
});

test.each([
  ["an amount of zero", { amount: "0.00" }, 400, "amount_invalid"],
  ["a negative amount", { amount: "-1.00" }, 400, "amount_invalid"],
  ["three decimals", { amount: "1.001" }, 400, "amount_invalid"],
  ["more than ten billion", { amount: "10000000000.01" }, 400, "amount_invalid"],
  ["an empty reference", { reference: "" }, 400, "reference_invalid"],
  ["a reference of two lines", { reference: "a\nb" }, 400, "reference_invalid"],
  ["no reason", { reason: " " }, 400, "reason_invalid"],
  ["another type", { type: "in" }, 400, "invalid_field"],
  ["an unknown field", { currency: "USD" }, 400, "invalid_field"],
])("%s is refused and nothing is moved", async (_what, changed, status, code) => {
  expect(await bonus("1.00", changed)).toMatchObject({ status, body: { error: { code } } });
  expect(await account()).toMatchObject({ bonus_balance: "0.00" });
});

test("an unknown merchant or cardholder, one before its approval, and one of authorization mode have no bonus", async () => {
  const body = { type: "In", amount: "1.00", reference: "nobody", reason: "Nobody" };
  const to = async (merchantNo: string, cardholder: string) =>
    (await desk.call("POST", `/merchants/${merchantNo}/cardholders/${cardholder}/bonus`, body)).body["error"];
  const { merchantNo } = merchant.merchant;
  expect(await to("M1", cardholderNo)).toMatchObject({ code: "merchant_unknown" });
  expect(await to(merchantNo, "U1")).toMatchObject({ code: "cardholder_unknown" });
  const pending = await api.cardholder(merchant, "pending");
  expect(await to(merchantNo, pending)).toMatchObject({ code: "account_unknown" });
  const asked = await api.newMerchant("AUTHORIZATION");
  const other = await api.approvedCardholder(asked);
  expect(await to(asked.merchant.merchantNo, other)).toMatchObject({ code: "account_unknown" });
  expect(await to(asked.merchant.merchantNo, cardholderNo)).toMatchObject({ code: "cardholder_unknown" });
});

test("a cleared purchase is repaid from the bonus as far as it reaches, and no further", async () => {
  await transferIn("100.00");
  expect(await repay(3_000n)).toBe(0n);
  await bonus("20.00");
  expect(await repay(1_250n)).toBe(1_250n);
  expect(await account()).toMatchObject({ balance: "112.50", bonus_balance: "7.50" });
  expect(await repay(3_000n)).toBe(750n);
  expect(await account()).toMatchObject({ balance: "120.00", bonus_balance: "0.00" });
  expect(await repay(3_000n)).toBe(0n);
  await bonus("1.00");
  expect(await repay(0n)).toBe(0n);
  const { rows } = await api.db.pool.query(
    "SELECT kind FROM ledger.transaction WHERE merchant_id = $1 AND reference = 'O20260522-1'",
    [merchant.merchant.merchantId],
  );
  expect(rows).toEqual([{ kind: "bonus" }, { kind: "bonus" }]);
});

test("a repayment that belongs to a transaction which fails is undone with it", async () => {
  await bonus("20.00");
  const { merchantId } = merchant.merchant;
  const repayment = { merchantId, cardholderNo, amount: 500n, reference: "O2", at: api.clock.now() };
  await inTransaction(api.db.pool, (sql) => repayFromBonus(sql, repayment), { commitWhen: () => false });
  expect(await account()).toMatchObject({ balance: "0.00", bonus_balance: "20.00" });
});

test("twenty repayments and take-backs that race share the bonus without losing or making a cent", async () => {
  await bonus("10.00");
  const [repaid, takenBack] = await Promise.all([
    Promise.all(Array.from({ length: 10 }, () => repay(130n))),
    Promise.all(Array.from({ length: 10 }, () => bonus("1.10", { type: "Out" }))),
  ]);
  const moved = repaid.reduce((sum, each) => sum + each, 0n);
  const back = BigInt(takenBack.filter(({ status }) => status === 200).length) * 110n;
  const { merchantId } = merchant.merchant;
  const left = await findAccount(api.db.pool, { merchantId, kind: "bonus", owner: cardholderNo });
  expect(moved + back + (left?.available ?? 0n)).toBe(1_000n);
  const credit = await findAccount(api.db.pool, { merchantId, kind: "cardholder", owner: cardholderNo });
  expect(credit?.available).toBe(moved);
});

test("a repayment makes an overdrawn account's debt smaller", async () => {
  await bonus("20.00");
  const { merchantId } = merchant.merchant;
  const at = api.clock.now();
  const credit = await findAccount(api.db.pool, { merchantId, kind: "cardholder", owner: cardholderNo });
  const spending = await findAccount(api.db.pool, { merchantId, kind: "spending", owner: "" });
  const taken = { source: credit?.accountId ?? "", destination: spending?.accountId ?? "", amount: 3_000n };
  const movement = {
    merchantId,
    transactionId: uuid7(at),
    kind: "fee",
    reference: "O3",
    at,
    postings: [taken],
  } as const;
  await inTransaction(api.db.pool, (sql) => forceTransfer(sql, movement));
  expect(await account()).toMatchObject({ balance: "-30.00" });
  expect(await repay(3_000n)).toBe(2_000n);
  expect(await account()).toMatchObject({ balance: "-10.00", bonus_balance: "0.00" });
});

test("after all of this every balance is the fold of its postings, and the audit chain is whole", async () => {
  expect(await verifyLedger(api.db.pool)).toMatchObject({ ok: true });
  expect(await verifyAudit(api.db.pool)).toMatchObject({ ok: true });
});
