import { isDeclineReason } from "@cardwright/contract";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ReversalMessage } from "../../apps/server/src/clearing/index.ts";
import { mustBeClean, numberIn, reversed, transactionOf } from "../clearing/books.ts";
import {
  answerYes,
  type CardWishes,
  dayMs,
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
  programme.ask = async () => answerYes;
});
afterAll(() => programme.close());

const modes = ["CREDIT_EXTENSION", "AUTHORIZATION"] as const;

async function approved(card: ReadyCard, amount: string, changed: Parameters<typeof purchaseWith>[2] = {}) {
  const message = purchaseWith(card, amount, changed);
  const answer = await programme.authorization.authorize(message);
  expect(answer).toMatchObject({ approved: true });
  return { message, reference: message.networkReference, consumeNo: answer.consumeNo };
}

const answered = (message: ReversalMessage) => reversed(programme, message);
const clear = (card: ReadyCard, amount: string, changed: Parameters<typeof presentmentWith>[2]) =>
  programme.clearing.clear(presentmentWith(card, amount, changed));

async function lastPushes(card: ReadyCard, count: number) {
  return (await programme.pushes(card)).slice(-count).map(({ data }) => data);
}

for (const mode of modes) {
  const credit = mode === "CREDIT_EXTENSION";

  test(`a full reversal gives amount and fees back, fails the purchase as reversed, and pushes both (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const before = await programme.pots(card);
    const { message, reference, consumeNo } = await approved(card, "100.00");
    const reversal = reversalOf(card, reference);
    const answer = await answered(reversal);
    expect(answer).toMatchObject({ accepted: true, effect: "reversed", repeat: false });
    expect(await programme.pots(card)).toEqual(before);
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Fail",
      remark: "reversed",
      detail: "The purchase was reversed in full.",
      amount: 10_000n,
      fee: 0n,
      feeRows: [],
    });
    expect(await programme.consumption(card, numberIn(answer))).toMatchObject({
      type: "Reversal",
      status: "Success",
      consumeRelateNo: consumeNo,
      amount: 10_000n,
      localAmount: "100.00",
      fee: 0n,
    });
    const [original, own] = await lastPushes(card, 2);
    expect(original).toMatchObject({ consume_no: consumeNo, status: "Fail", remark: "reversed", fee: 0 });
    expect(own).toMatchObject({ consume_no: numberIn(answer), type: "Reversal", status: "Success", amount: 100 });
    // The network's repeats hear what they were told.
    expect(await answered(reversal)).toEqual({ ...answer, repeat: true });
    expect(await programme.authorization.authorize(message)).toMatchObject({ approved: true, repeat: true, consumeNo });
    expect(await programme.consumptionsOf(card)).toBe(2);
  });

  test(`a partial reversal lowers amount, fees and hold on each side, and a repeat of the purchase is still one (${mode})`, async () => {
    const card = await programme.issueCard({ mode, reserve: "1000.00", credit: "1000.00" });
    const { message, reference, consumeNo } = await approved(card, "100.00");
    const answer = await answered(reversalOf(card, reference, { amount: "33.33" }));
    expect(answer).toMatchObject({ effect: "partially_reversed" });
    // 66.67 at 5 % is 3.3335, half up 3.33; at 1 % 0.6667, half up 0.67.
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["930.00", "70.00"] : ["0.00", "0.00"],
      reserve: ["932.66", "67.34"],
    });
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Pending",
      remark: "",
      amount: 6_667n,
      fee: credit ? 333n : 67n,
      localAmount: "66.67",
    });
    const [original, own] = await lastPushes(card, 2);
    expect(original).toMatchObject({ consume_no: consumeNo, status: "Pending", amount: 66.67 });
    expect(own).toMatchObject({ type: "Reversal", amount: 33.33, fee: 0, consume_relate_no: consumeNo });
    const pots = await programme.pots(card);
    expect(await programme.authorization.authorize(message)).toMatchObject({ approved: true, repeat: true, consumeNo });
    expect(await programme.pots(card)).toEqual(pots);
  });

  test(`several partial reversals add up, the last takes what is left, and nothing is left after it (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const before = await programme.pots(card);
    const { reference, consumeNo } = await approved(card, "10.00");
    for (const amount of ["3.33", "3.33", "3.33"]) {
      expect(await answered(reversalOf(card, reference, { amount }))).toMatchObject({ effect: "partially_reversed" });
    }
    const last = await answered(reversalOf(card, reference, { amount: "3.33" }));
    expect(last).toMatchObject({ effect: "reversed" });
    expect(await programme.consumption(card, numberIn(last))).toMatchObject({ amount: 1n, localAmount: "0.01" });
    expect(await programme.pots(card)).toEqual(before);
    const further = reversalOf(card, reference);
    expect(await answered(further)).toEqual({ accepted: true, effect: "no_effect", consumeNo, repeat: false });
    expect(await answered(further)).toMatchObject({ effect: "no_effect", repeat: true });
  });

  test(`after a partial clearing a reversal releases the rest, and what was cleared stands (${mode})`, async () => {
    const card = await programme.issueCard({ mode, reserve: "1000.00", credit: "1000.00" });
    const { reference, consumeNo } = await approved(card, "100.00");
    await clear(card, "40.00", { originalReference: reference, final: false });
    expect(await answered(reversalOf(card, reference, { amount: "10.00" }))).toMatchObject({
      effect: "partially_reversed",
    });
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["905.50", "52.50"] : ["0.00", "0.00"],
      reserve: ["909.10", "50.50"],
    });
    // More than is left takes what is left.
    const rest = await answered(reversalOf(card, reference, { amount: "100.00" }));
    expect(rest).toMatchObject({ effect: "partially_reversed" });
    expect(await programme.consumption(card, numberIn(rest))).toMatchObject({ amount: 5_000n });
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["958.00", "0.00"] : ["0.00", "0.00"],
      reserve: ["959.60", "0.00"],
    });
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Success",
      amount: 4_000n,
      fee: credit ? 200n : 40n,
      localAmount: "40.00",
      remark: "",
    });
  });

  test(`a purchase of which only a small part was cleared pays for a small one when the rest is reversed (${mode})`, async () => {
    const small = { small_consume_threshold: "50.00", small_consume_deduct: "0.30" };
    const rates = { consume_rate: "0.05", ...small };
    const costs = { consume_rate: "0.01", ...small };
    const card = await programme.issueCard({ mode, reserve: "1000.00", credit: "1000.00", rates, costs });
    const { reference, consumeNo } = await approved(card, "100.00");
    await clear(card, "40.00", { originalReference: reference, final: false });
    await answered(reversalOf(card, reference));
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["957.70", "0.00"] : ["0.00", "0.00"],
      reserve: ["959.30", "0.00"],
    });
    expect(await transactionOf(programme, card, consumeNo)).toMatchObject({
      status: "Success",
      amount: 4_000n,
      fee: credit ? 230n : 70n,
      reserveBooked: 4_070n,
      smallCost: "charged",
    });
  });

  test(`a refund that was authorized is withdrawn, in part and whole, without moving money (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    await approved(card, "50.00");
    const pots = await programme.pots(card);
    const refund = await approved(card, "20.00", { kind: "refund" });
    expect(await answered(reversalOf(card, refund.reference, { amount: "5.00" }))).toMatchObject({
      effect: "partially_reversed",
    });
    expect(await programme.consumption(card, refund.consumeNo)).toMatchObject({ status: "Pending", amount: 1_500n });
    expect(await answered(reversalOf(card, refund.reference))).toMatchObject({ effect: "reversed" });
    expect(await programme.consumption(card, refund.consumeNo)).toMatchObject({ status: "Fail", remark: "reversed" });
    expect(await programme.pots(card)).toEqual(pots);
  });
}

test("an amount in the shop's currency takes its share of what was billed, by the amount or by the network's own conversion", async () => {
  const card = await programme.issueCard({ mode: "AUTHORIZATION", reserve: "1000.00" });
  // 3000 JPY billed as 19.20.
  const { reference, consumeNo } = await approved(card, "30.00", { currency: "JPY", billingAmount: 1_920n });
  await answered(reversalOf(card, reference, { amount: "1000" }));
  expect(await programme.consumption(card, consumeNo)).toMatchObject({ amount: 1_280n, localAmount: "2000" });
  await answered(reversalOf(card, reference, { billingAmount: 640n, amount: "1000" }));
  expect(await programme.consumption(card, consumeNo)).toMatchObject({ amount: 640n, localAmount: "1000" });
  expect(await programme.clearing.reverse(reversalOf(card, reference, { amount: "0.50" }))).toEqual({
    ok: false,
    reason: "amount",
  });
  await answered(reversalOf(card, reference, { amount: "1000" }));
  expect(await programme.pots(card)).toMatchObject({ reserve: ["1000.00", "0.00"] });
});

test("a purchase that a partial reversal makes a small one pays for that, once, and keeps the decision", async () => {
  const rates: CardWishes["rates"] = {
    consume_rate: "0.05",
    small_consume_threshold: "10.00",
    small_consume_deduct: "0.30",
    free_small_consume_count: 1,
    free_small_excuse_type: "Forever",
  };
  const card = await programme.issueCard({ credit: "1000.00", reserve: "1000.00", rates });
  const free = await approved(card, "10.00");
  await answered(reversalOf(card, free.reference, { amount: "0.01" }));
  // The first small one is free: 9.99 at 5 % is 0.4995, half up 0.50.
  expect(await transactionOf(programme, card, free.consumeNo)).toMatchObject({ fee: 50n, smallFee: "free" });
  const charged = await approved(card, "10.00");
  const before = await programme.pots(card);
  await answered(reversalOf(card, charged.reference, { amount: "0.01" }));
  expect(await transactionOf(programme, card, charged.consumeNo)).toMatchObject({ fee: 80n, smallFee: "charged" });
  // One cent less of amount, 0.30 more of fee: the hold has grown.
  expect(Number((await programme.pots(card)).credit[1]) - Number(before.credit[1])).toBeCloseTo(0.29, 5);
  await answered(reversalOf(card, charged.reference, { amount: "1.00" }));
  expect(await transactionOf(programme, card, charged.consumeNo)).toMatchObject({ amount: 899n, fee: 75n });
  await answered(reversalOf(card, charged.reference));
  await answered(reversalOf(card, free.reference));
  expect(await programme.pots(card)).toMatchObject({ credit: ["1000.00", "0.00"], reserve: ["1000.00", "0.00"] });
});

test("a reversal more than a week later, after the hold expired, has no effect", async () => {
  const card = await programme.issueCard();
  const before = await programme.pots(card);
  const late = await approved(card, "20.00");
  programme.clock.advance(8 * dayMs);
  expect(await programme.clearing.releaseExpired()).toBeGreaterThan(0);
  const pushes = (await programme.pushes(card)).length;
  expect(await answered(reversalOf(card, late.reference))).toMatchObject({
    accepted: true,
    effect: "no_effect",
    consumeNo: late.consumeNo,
  });
  expect(await programme.consumption(card, late.consumeNo)).toMatchObject({ remark: "expired" });
  expect((await programme.pushes(card)).length).toBe(pushes);
  expect(await programme.pots(card)).toEqual(before);
});

test("a reversal of a declined purchase and of an account verification has no effect", async () => {
  const card = await programme.issueCard({ credit: "1.00" });
  const declined = purchaseWith(card, "50.00");
  const verification = purchaseWith(card, "0.00");
  expect(await programme.authorization.authorize(declined)).toMatchObject({ approved: false });
  expect(await programme.authorization.authorize(verification)).toMatchObject({ approved: true });
  for (const { networkReference } of [declined, verification]) {
    expect(await answered(reversalOf(card, networkReference))).toMatchObject({ accepted: true, effect: "no_effect" });
  }
  expect(await programme.consumptionsOf(card)).toBe(2);
});

test("a reversal before its authorization is stored, once, and with other content it is a duplicate", async () => {
  const card = await programme.issueCard();
  const early = reversalOf(card, "not-yet-there", { amount: "5.00" });
  expect(await answered(early)).toEqual({ accepted: true, effect: "stored", consumeNo: "", repeat: false });
  expect(await answered({ ...early, amount: "05.0" })).toMatchObject({ effect: "stored", repeat: true });
  expect(await answered({ ...early, amount: "5.01" })).toEqual({
    accepted: false,
    effect: "duplicate",
  });
  expect(await answered({ ...early, pan: "4000000000000002" })).toMatchObject({ effect: "card_not_found" });
  const { rows } = await programme.db.pool.query(
    "SELECT card_no, consume_no, effect FROM network_message WHERE original_reference = 'not-yet-there'",
  );
  expect(rows).toEqual([{ card_no: card.cardNo, consume_no: "", effect: "stored" }]);
});

test("a reversal that carries an authorization's own reference, or one used for another card, is a duplicate", async () => {
  const card = await programme.issueCard();
  const other = await programme.anotherCard(card);
  const { reference } = await approved(card, "20.00");
  expect(await answered(reversalOf(card, reference, { networkReference: reference }))).toMatchObject({
    accepted: false,
    effect: "duplicate",
  });
  const message = reversalOf(card, reference, { amount: "1.00" });
  await answered(message);
  expect(await answered({ ...message, pan: other.printed.pan })).toMatchObject({
    accepted: false,
    effect: "duplicate",
  });
  // Somebody else's purchase is not undone.
  expect(await answered(reversalOf(other, reference))).toMatchObject({ effect: "no_effect" });
});

test("a reversal while the merchant is being asked waits for its answer, and comes again when there is none", async () => {
  const card = await programme.issueCard({ mode: "AUTHORIZATION", reserve: "1000.00" });
  let answer: (value: typeof answerYes) => void = () => undefined;
  let asked: () => void = () => undefined;
  const question = new Promise<void>((resolve) => {
    asked = resolve;
  });
  programme.ask = () => {
    asked();
    return new Promise((resolve) => {
      answer = resolve;
    });
  };
  const message = purchaseWith(card, "40.00");
  const authorizing = programme.authorization.authorize(message);
  await question;
  const reversal = reversalOf(card, message.networkReference);
  expect(await programme.clearing.reverse(reversal)).toEqual({
    ok: true,
    value: { accepted: false, effect: "authorization_under_way" },
  });
  const waiting = programme.clearing.reverse(reversal);
  answer(answerYes);
  expect(await authorizing).toMatchObject({ approved: true });
  expect(await waiting).toMatchObject({ ok: true, value: { effect: "reversed", repeat: false } });
  expect(await programme.pots(card)).toMatchObject({ reserve: ["1000.00", "0.00"] });
});

test("increments are reversed last in, first out, then the original, and a hold changed to zero and back is never a decline", async () => {
  const card = await programme.issueCard({ credit: "1000.00", reserve: "1000.00" });
  const original = await approved(card, "50.00");
  const increment = async (amount: string) => {
    const one = await approved(card, amount, { incrementOf: original.reference });
    return one.consumeNo;
  };
  const first = await increment("20.00");
  const second = await increment("10.00");
  const partial = await answered(reversalOf(card, original.reference, { amount: "15.00" }));
  expect(partial).toMatchObject({ effect: "partially_reversed" });
  expect(await programme.consumption(card, second)).toMatchObject({ status: "Fail", remark: "reversed" });
  expect(await programme.consumption(card, first)).toMatchObject({ status: "Pending", amount: 1_500n });
  expect(await programme.consumption(card, original.consumeNo)).toMatchObject({ status: "Pending", amount: 5_000n });
  const whole = await answered(reversalOf(card, original.reference));
  expect(whole).toMatchObject({ effect: "reversed" });
  expect(await programme.consumption(card, numberIn(whole))).toMatchObject({ amount: 6_500n });
  expect(await programme.pots(card)).toMatchObject({ credit: ["1000.00", "0.00"], reserve: ["1000.00", "0.00"] });
  // The shop raises it again from zero: that is an increment of its own, which the same original's reversal gives back.
  const revived = await increment("30.00");
  expect(await programme.pots(card)).toMatchObject({ credit: ["968.50", "31.50"] });
  expect(await answered(reversalOf(card, original.reference, { amount: "30.00" }))).toMatchObject({
    effect: "reversed",
  });
  expect(await programme.consumption(card, revived)).toMatchObject({ status: "Fail", remark: "reversed" });
  const remarks = (await programme.pushes(card)).map(({ data }) => data["remark"]);
  expect(remarks.filter((remark) => typeof remark === "string" && isDeclineReason(remark))).toEqual([]);
});

test("what is reversed counts back to the limits of the week that it came from, and of no later one", async () => {
  const limits = { limit_week_balance: "100.00" };
  const card = await programme.issueCard({ credit: "5000.00", limits });
  const first = await approved(card, "60.00");
  await answered(reversalOf(card, first.reference, { amount: "30.00" }));
  const second = await approved(card, "70.00");
  expect(await programme.authorization.authorize(purchaseWith(card, "0.01"))).toMatchObject({ reason: "limit_week" });
  await answered(reversalOf(card, second.reference));
  const third = await approved(card, "70.00");
  programme.clock.advance(6 * dayMs);
  await approved(card, "100.00");
  await answered(reversalOf(card, third.reference));
  expect(await programme.authorization.authorize(purchaseWith(card, "0.01"))).toMatchObject({ reason: "limit_week" });
});
