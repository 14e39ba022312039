import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Reversals } from "../../apps/server/src/clearing/index.ts";
import { insertMessage } from "../../apps/server/src/clearing/message-store.ts";
import { insertTransaction, updateTransaction } from "../../apps/server/src/clearing/transaction-store.ts";
import { orderNumber, uuid7 } from "../../apps/server/src/kernel/index.ts";
import { findAccount, transfer } from "../../apps/server/src/ledger/index.ts";
import { balanceOf, clearExactly, requireCleanBooks, reversalOf, transactionOf } from "../support/after-approval.ts";
import { openProgramme, type Programme, purchaseWith, type ReadyCard } from "../support/programme.ts";

let programme: Programme;
let reversals: Reversals;

beforeAll(async () => {
  programme = await openProgramme();
  reversals = programme.clearing;
});
afterEach(async () => {
  await requireCleanBooks(programme);
});
afterAll(() => programme.close());

async function answered(message: Parameters<Reversals["reverse"]>[0]) {
  const answer = await reversals.reverse(message);
  if (!answer.ok) throw new Error(`refused: ${answer.reason}`);
  return answer.value;
}

/** 100.00, cleared exactly: 105.00 from the cardholder, 101.00 from the reserve. */
async function cleared(card: ReadyCard) {
  const message = purchaseWith(card, "100.00");
  const { consumeNo } = await programme.authorization.authorize(message);
  await clearExactly(programme, card, { consumeNo, amount: 10_000n, credit: 10_500n, reserve: 10_100n, final: true });
  return { reference: message.networkReference, consumeNo };
}

const rates = { consume_rate: "0.05", refund_rate: "0.02" };
const costs = { consume_rate: "0.01", refund_rate: "0.005" };

for (const mode of ["CREDIT_EXTENSION", "AUTHORIZATION"] as const) {
  const credit = mode === "CREDIT_EXTENSION";

  test(`a reversal after clearing gives the money back on both sides, keeps the fees and charges for it (${mode})`, async () => {
    const card = await programme.issueCard({ mode, credit: "1000.00", reserve: "1000.00", rates, costs });
    const { reference, consumeNo } = await cleared(card);
    const message = reversalOf(card, reference);
    const answer = await answered(message);
    expect(answer).toMatchObject({ accepted: true, effect: "reversed_after_clearing" });
    // 1000 − 105 + 100 − 2 % of 100; 1000 − 101 + 100 − 0.5 % of 100.
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["993.00", "0.00"] : ["0.00", "0.00"],
      reserve: ["998.50", "0.00"],
    });
    expect(await balanceOf(programme, card, "settlement")).toBe(0n);
    expect(await balanceOf(programme, card, "platform_income")).toBe(150n);
    expect(await balanceOf(programme, card, "spending")).toBe(0n);
    expect(await balanceOf(programme, card, "merchant_income")).toBe(credit ? 700n : 0n);
    expect(await transactionOf(programme, card, consumeNo)).toMatchObject({
      status: "Success",
      remark: "reversed_after_clearing",
      amount: 10_000n,
      refundedAmount: 10_000n,
      fee: credit ? 500n : 100n,
    });
    expect(await transactionOf(programme, card, answer.consumeNo)).toMatchObject({
      type: "Reversal",
      status: "Success",
      consumeRelateNo: consumeNo,
      amount: 10_000n,
      fee: credit ? 200n : 50n,
      feeRows: [{ feeType: "Refund_fee", amount: credit ? 200n : 50n }],
      creditTotal: credit ? 9_800n : 0n,
      reserveTotal: 9_950n,
    });
    const pushes = (await programme.pushes(card)).slice(-2).map(({ data }) => data);
    expect(pushes).toMatchObject([
      { consume_no: consumeNo, status: "Success", remark: "reversed_after_clearing" },
      { type: "Reversal", amount: 100, fee: credit ? 2 : 0.5 },
    ]);
    expect(await answered(message)).toEqual({ ...answer, repeat: true });
    expect(await answered(reversalOf(card, reference))).toMatchObject({ effect: "no_effect", consumeNo });
    const { rows } = await programme.db.pool.query(
      "SELECT settled_amount FROM network_message WHERE merchant_id = $1 AND effect = 'reversed_after_clearing'",
      [card.merchantId],
    );
    expect(rows).toEqual([{ settled_amount: -10_000n }]);
  });

  test(`partial reversals after clearing give back that much each, and never more than was cleared (${mode})`, async () => {
    const card = await programme.issueCard({ mode, credit: "1000.00", reserve: "1000.00", rates, costs });
    const { reference, consumeNo } = await cleared(card);
    await answered(reversalOf(card, reference, { amount: "30.33" }));
    // 2 % of 30.33 is 0.6066, half up 0.61; 0.5 % is 0.15165, half up 0.15.
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["924.72", "0.00"] : ["0.00", "0.00"],
      reserve: ["929.18", "0.00"],
    });
    expect(await transactionOf(programme, card, consumeNo)).toMatchObject({ amount: 10_000n, refundedAmount: 3_033n });
    const rest = await answered(reversalOf(card, reference, { amount: "500.00" }));
    expect(await programme.consumption(card, rest.consumeNo)).toMatchObject({ amount: 6_967n, localAmount: "69.67" });
    expect(await answered(reversalOf(card, reference, { amount: "0.01" }))).toMatchObject({ effect: "no_effect" });
  });
}

test("what the merchant's income has borne of a purchase comes back to it, last, and is not the cardholder's", async () => {
  const card = await programme.issueCard({ credit: "60.00", reserve: "1000.00", rates: {}, costs: {} });
  const message = purchaseWith(card, "60.00");
  const { consumeNo } = await programme.authorization.authorize(message);
  await clearExactly(programme, card, { consumeNo, amount: 6_000n, credit: 6_000n, reserve: 6_000n, final: true });
  // As an over-capture of 100.00 leaves it where the cardholder's account stops at zero.
  const { merchantId } = card;
  const account = async (kind: "merchant_income" | "spending" | "reserve" | "settlement") =>
    (await findAccount(programme.db.pool, { merchantId, kind, owner: "" }))?.accountId ?? "";
  const at = programme.clock.now();
  await transfer(programme.db.pool, {
    merchantId,
    transactionId: uuid7(at),
    kind: "adjustment",
    reference: "absorbed",
    at,
    postings: [
      { source: await account("merchant_income"), destination: await account("spending"), amount: 4_000n },
      { source: await account("reserve"), destination: await account("settlement"), amount: 4_000n },
    ],
  });
  const over = await transactionOf(programme, card, consumeNo);
  await updateTransaction(
    programme.db.pool,
    {
      ...over,
      amount: 10_000n,
      clearedAmount: 10_000n,
      localAmount: "100.00",
      reserveTotal: 10_000n,
      reserveBooked: 10_000n,
    },
    { at },
  );
  await answered(reversalOf(card, message.networkReference, { amount: "50.00" }));
  expect((await programme.pots(card)).credit).toEqual(["50.00", "0.00"]);
  await answered(reversalOf(card, message.networkReference));
  expect((await programme.pots(card)).credit).toEqual(["60.00", "0.00"]);
  expect(await balanceOf(programme, card, "merchant_income")).toBe(0n);
  expect(await balanceOf(programme, card, "spending")).toBe(0n);
  expect((await programme.pots(card)).reserve).toEqual(["1000.00", "0.00"]);
});

test("a clearing that never was authorized is reversed by its own reference, and by that of the authorization it named", async () => {
  for (const named of ["own", "unknown"]) {
    const card = await programme.issueCard({ credit: "1000.00", reserve: "1000.00" });
    const { consumeNo } = await cleared(card);
    const { merchantId, cardNo } = card;
    await programme.db.pool.query("UPDATE consumption SET network_reference = '' WHERE consume_no = $1", [consumeNo]);
    await insertMessage(programme.db.pool, {
      merchantId,
      cardNo,
      networkReference: "own",
      originalReference: "unknown",
      kind: "clearing",
      contentHash: Buffer.from("any"),
      consumeNo: consumeNo ?? "",
      settledAmount: 10_000n,
      localAmount: "100.00",
      localCurrency: "USD",
      effect: "force_posted",
      at: programme.clock.now(),
    });
    expect(await answered(reversalOf(card, named))).toMatchObject({ effect: "reversed_after_clearing" });
    expect((await programme.pots(card)).credit).toEqual(["995.00", "0.00"]);
  }
});

test("a refund that was booked is taken back when it is withdrawn, below zero if it must, and can be given again", async () => {
  const card = await programme.issueCard({ credit: "1000.00", reserve: "1000.00" });
  const { consumeNo } = await cleared(card);
  const purchase = await transactionOf(programme, card, consumeNo);
  const at = programme.clock.now();
  const refundNo = orderNumber("O", at);
  const cardholder = await findAccount(programme.db.pool, {
    merchantId: card.merchantId,
    kind: "cardholder",
    owner: card.cardholderNo,
  });
  const account = async (kind: "spending" | "reserve" | "settlement" | "credit_line") =>
    (await findAccount(programme.db.pool, { merchantId: card.merchantId, kind, owner: "" }))?.accountId ?? "";
  const own = cardholder?.accountId ?? "";
  await transfer(programme.db.pool, {
    merchantId: card.merchantId,
    transactionId: uuid7(at),
    kind: "refund",
    reference: refundNo,
    at,
    postings: [
      { source: await account("spending"), destination: own, amount: 4_000n },
      { source: await account("settlement"), destination: await account("reserve"), amount: 4_000n },
    ],
  });
  await updateTransaction(programme.db.pool, { ...purchase, refundedAmount: 4_000n }, { at });
  await insertTransaction(programme.db.pool, {
    ...purchase,
    consumeNo: refundNo,
    consumeRelateNo: purchase.consumeNo,
    type: "Refund",
    amount: 4_000n,
    localAmount: "40.00",
    clearedAmount: 4_000n,
    fee: 0n,
    feeRows: [],
    networkReference: "booked-refund",
    holdId: null,
    createdAt: at,
  });
  // The cardholder has moved everything out since.
  await transfer(programme.db.pool, {
    merchantId: card.merchantId,
    transactionId: uuid7(at),
    kind: "transfer_out",
    reference: "all of it",
    at,
    postings: [{ source: own, destination: await account("credit_line"), amount: 93_500n }],
  });
  expect(await answered(reversalOf(card, "booked-refund"))).toMatchObject({ effect: "reversed_after_clearing" });
  expect(await programme.pots(card)).toEqual({ credit: ["-40.00", "0.00"], reserve: ["899.00", "0.00"] });
  expect(await transactionOf(programme, card, consumeNo)).toMatchObject({ refundedAmount: 0n });
  expect(await answered(reversalOf(card, "booked-refund"))).toMatchObject({ effect: "no_effect" });
});
