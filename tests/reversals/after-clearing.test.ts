import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ReversalMessage } from "../../apps/server/src/clearing/index.ts";
import { balanceOf, mustBeClean, numberIn, reversed, transactionOf } from "../clearing/books.ts";
import {
  cents,
  openProgramme,
  type Programme,
  presentmentWith,
  purchaseWith,
  type ReadyCard,
  reversalOf,
} from "../support/programme.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});
afterEach(async () => {
  await mustBeClean(programme);
});
afterAll(() => programme.close());

const answered = (message: ReversalMessage) => reversed(programme, message);
const clear = (card: ReadyCard, amount: string, changed: Parameters<typeof presentmentWith>[2]) =>
  programme.clearing.clear(presentmentWith(card, amount, changed));

/** 100.00, cleared exactly: 105.00 from the cardholder, 101.00 from the reserve. */
async function cleared(card: ReadyCard) {
  const message = purchaseWith(card, "100.00");
  const { consumeNo } = await programme.authorization.authorize(message);
  await clear(card, "100.00", { originalReference: message.networkReference });
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
    expect(await balanceOf(programme, card, "settlement")).toBe("0.00");
    expect(await balanceOf(programme, card, "platform_income")).toBe("1.50");
    expect(await balanceOf(programme, card, "spending")).toBe("0.00");
    expect(await balanceOf(programme, card, "merchant_income")).toBe(credit ? "7.00" : "0.00");
    expect(await transactionOf(programme, card, consumeNo)).toMatchObject({
      status: "Success",
      remark: "reversed_after_clearing",
      amount: 10_000n,
      refundedAmount: 10_000n,
      fee: credit ? 500n : 100n,
    });
    expect(await transactionOf(programme, card, numberIn(answer))).toMatchObject({
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
    expect(await programme.consumption(card, numberIn(rest))).toMatchObject({ amount: 6_967n, localAmount: "69.67" });
    expect(await answered(reversalOf(card, reference, { amount: "0.01" }))).toMatchObject({ effect: "no_effect" });
  });
}

test("what the merchant's income has borne of a purchase comes back to it, last, and is not the cardholder's", async () => {
  const card = await programme.issueCard({ credit: "60.00", reserve: "1000.00", rates: {}, costs: {} });
  const { merchantId } = card;
  const change = { shortfallPolicy: "absorb" } as const;
  await programme.merchants.update({ merchantId, change }, { actor: "operator" });
  const message = purchaseWith(card, "60.00");
  await programme.authorization.authorize(message);
  await clear(card, "100.00", { originalReference: message.networkReference });
  expect(await balanceOf(programme, card, "merchant_income")).toBe("-40.00");
  await answered(reversalOf(card, message.networkReference, { amount: "50.00" }));
  expect((await programme.pots(card)).credit).toEqual(["50.00", "0.00"]);
  await answered(reversalOf(card, message.networkReference));
  expect((await programme.pots(card)).credit).toEqual(["60.00", "0.00"]);
  expect(await balanceOf(programme, card, "merchant_income")).toBe("0.00");
  expect(await balanceOf(programme, card, "spending")).toBe("0.00");
  expect((await programme.pots(card)).reserve).toEqual(["1000.00", "0.00"]);
});

test("a refund that is withdrawn is taken back from those it went to, the merchant's income first", async () => {
  const card = await programme.issueCard({ credit: "60.00", reserve: "1000.00", rates: {}, costs: {} });
  const { merchantId } = card;
  const change = { shortfallPolicy: "absorb" } as const;
  await programme.merchants.update({ merchantId, change }, { actor: "operator" });
  const { networkReference: originalReference } = purchaseWith(card, "1.00");
  await clear(card, "100.00", { originalReference });
  const refund = presentmentWith(card, "80.00", { originalReference, kind: "refund" });
  await programme.clearing.clear(refund);
  expect((await programme.pots(card)).credit).toEqual(["60.00", "0.00"]);
  await answered(reversalOf(card, refund.networkReference, { amount: "30.00" }));
  expect((await programme.pots(card)).credit).toEqual(["50.00", "0.00"]);
  expect(await balanceOf(programme, card, "merchant_income")).toBe("-40.00");
  await answered(reversalOf(card, refund.networkReference));
  expect((await programme.pots(card)).credit).toEqual(["0.00", "0.00"]);
  expect(await balanceOf(programme, card, "spending")).toBe("100.00");
});

test("a clearing that never was authorized is reversed by its own reference, and by that of the authorization it named", async () => {
  for (const named of ["own", "unknown"]) {
    const card = await programme.issueCard({ credit: "1000.00", reserve: "1000.00" });
    await clear(card, "100.00", { networkReference: "own", originalReference: "unknown" });
    expect(await answered(reversalOf(card, named))).toMatchObject({ effect: "reversed_after_clearing" });
    expect((await programme.pots(card)).credit).toEqual(["995.00", "0.00"]);
  }
});

test("a clearing of an authorization is reversed, refunded and cleared on by its own reference as well", async () => {
  const card = await programme.issueCard({ credit: "1000.00", reserve: "1000.00" });
  const message = purchaseWith(card, "100.00");
  const { consumeNo } = await programme.authorization.authorize(message);
  const first = presentmentWith(card, "50.00", { originalReference: message.networkReference });
  await programme.clearing.clear(first);
  const further = { originalReference: first.networkReference };
  expect(await clear(card, "30.00", further)).toMatchObject({ effect: "cleared_late", consumeNo });
  expect(await clear(card, "10.00", further)).toMatchObject({ effect: "cleared_late", consumeNo });
  expect(await programme.consumption(card, consumeNo)).toMatchObject({ amount: 9_000n, localAmount: "90.00" });
  const refunded = await clear(card, "20.00", { ...further, kind: "refund" });
  expect(await programme.consumption(card, numberIn(refunded))).toMatchObject({ consumeRelateNo: consumeNo });
  const undone = await answered(reversalOf(card, first.networkReference));
  expect(await programme.consumption(card, numberIn(undone))).toMatchObject({ amount: 7_000n });
});

test("a refund that was booked is taken back when it is withdrawn, below zero if it must, and can be given again", async () => {
  const card = await programme.issueCard({ credit: "1000.00", reserve: "1000.00" });
  const { reference: originalReference, consumeNo } = await cleared(card);
  const refund = presentmentWith(card, "40.00", { originalReference, kind: "refund" });
  await programme.clearing.clear(refund);
  // The cardholder's merchant has taken everything back since.
  const { merchantId, cardholderNo } = card;
  const all = {
    merchantId,
    cardholderNo,
    transferUniqueNo: "all of it",
    type: "Out",
    amount: cents("935.00"),
  } as const;
  expect(await programme.credit.transfer(all)).toMatchObject({ ok: true });
  expect(await answered(reversalOf(card, refund.networkReference))).toMatchObject({
    effect: "reversed_after_clearing",
  });
  expect(await programme.pots(card)).toEqual({ credit: ["-40.00", "0.00"], reserve: ["899.00", "0.00"] });
  expect(await transactionOf(programme, card, consumeNo)).toMatchObject({ refundedAmount: 0n });
  expect(await answered(reversalOf(card, refund.networkReference))).toMatchObject({ effect: "no_effect" });
  expect(await clear(card, "100.00", { originalReference, kind: "refund" })).toMatchObject({ effect: "refunded" });
});
