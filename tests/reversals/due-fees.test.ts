import { afterEach, beforeEach, expect, test } from "vitest";
import type { Clearing } from "../../apps/server/src/clearing/index.ts";
import { balanceOf, mustBeClean, toldAbout, transactionOf } from "../clearing/books.ts";
import {
  answerNo,
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
let reversals: Clearing;

beforeEach(async () => {
  programme = await openProgramme();
  reversals = programme.clearing;
});
afterEach(async () => {
  await mustBeClean(programme);
  await programme.close();
});

const rates: NonNullable<CardWishes["rates"]> = {
  consume_rate: "0.05",
  decline_fee: "0.50",
  consume_cancle_fee: "0.25",
};
const costs: NonNullable<CardWishes["costs"]> = {
  consume_rate: "0.01",
  decline_fee: "0.10",
  consume_cancle_fee: "0.05",
};

/** A purchase that is not allowed. */
async function declined(card: ReadyCard, changed: Parameters<typeof purchaseWith>[2] = {}) {
  const answer = await programme.authorization.authorize(purchaseWith(card, "600.00", changed));
  expect(answer).toMatchObject({ approved: false });
  return answer.consumeNo;
}

for (const mode of ["CREDIT_EXTENSION", "AUTHORIZATION"] as const) {
  const credit = mode === "CREDIT_EXTENSION";

  test(`a decline costs its fee on each side, once, and is pushed again when it is complete (${mode})`, async () => {
    const limits = { limit_balance: "500.00" };
    const card = await programme.issueCard({ mode, credit: "1000.00", reserve: "1000.00", rates, costs, limits });
    const consumeNo = await declined(card);
    const workers = await Promise.all([1, 2, 3, 4].map(() => programme.clearing.chargeDueFees()));
    expect(workers.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(await reversals.chargeDueFees()).toBe(0);
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["999.50", "0.00"] : ["0.00", "0.00"],
      reserve: ["999.90", "0.00"],
    });
    expect(await balanceOf(programme, card, "platform_income")).toBe("0.10");
    const fee = credit ? 50n : 10n;
    expect(await transactionOf(programme, card, consumeNo)).toMatchObject({
      status: "Fail",
      remark: "limit_per_purchase",
      feeDue: "",
      fee,
      feeRows: [{ feeType: "Decline_fee", amount: fee }],
      creditTotal: credit ? 50n : 0n,
      reserveTotal: 10n,
    });
    const pushes = (await programme.pushes(card)).slice(-2).map(({ data }) => data);
    expect(pushes).toMatchObject([
      { consume_no: consumeNo, status: "Fail", fee: 0 },
      { consume_no: consumeNo, status: "Fail", remark: "limit_per_purchase", fee: Number(fee) / 100 },
    ]);
  });

  test(`a cancelled purchase costs its fee from the threshold on (${mode})`, async () => {
    const own = { ...rates, consume_cancel_threshold: "1.00" };
    const cost = { ...costs, consume_cancel_threshold: "1.00" };
    const card = await programme.issueCard({ mode, credit: "1000.00", reserve: "1000.00", rates: own, costs: cost });
    const numbers: (string | null)[] = [];
    for (const amount of ["10.00", "20.00"]) {
      const message = purchaseWith(card, amount);
      numbers.push((await programme.authorization.authorize(message)).consumeNo);
      await reversals.reverse(reversalOf(card, message.networkReference));
    }
    const withdrawal = purchaseWith(card, "30.00", { kind: "atm" });
    await programme.authorization.authorize(withdrawal);
    await reversals.reverse(reversalOf(card, withdrawal.networkReference));
    expect(await reversals.chargeDueFees()).toBe(2);
    const [free, charged] = numbers;
    expect(await programme.consumption(card, free ?? null)).toMatchObject({ remark: "reversed", fee: 0n });
    expect(await programme.consumption(card, charged ?? null)).toMatchObject({
      remark: "reversed",
      amount: 2_000n,
      feeRows: [{ feeType: "Cancel_fee", amount: credit ? 25n : 5n }],
    });
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["999.75", "0.00"] : ["0.00", "0.00"],
      reserve: ["999.95", "0.00"],
    });
  });
}

test("free declines are counted in the period of the decline, on each side by its own schedule", async () => {
  const free: NonNullable<CardWishes["rates"]> = {
    ...rates,
    decline_fee_free_count: 1,
    decline_fee_free_type: "Day",
    decline_fee_free_days: 1,
  };
  const limits = { limit_balance: "500.00" };
  const card = await programme.issueCard({ credit: "1000.00", reserve: "1000.00", rates: free, costs, limits });
  const first = await declined(card);
  const second = await declined(card);
  programme.clock.advance(dayMs);
  const nextDay = await declined(card);
  // All are charged late: it is the day of the decline that counts.
  expect(await reversals.chargeDueFees()).toBe(3);
  const fees = await Promise.all(
    [first, second, nextDay].map(async (consumeNo) => (await transactionOf(programme, card, consumeNo)).fee),
  );
  expect(fees).toEqual([0n, 50n, 0n]);
  expect(await programme.pots(card)).toEqual({ credit: ["999.50", "0.00"], reserve: ["999.70", "0.00"] });
  const [lastPush] = (await programme.pushes(card)).slice(-1);
  expect(lastPush?.data).toMatchObject({ consume_no: second, fee: 0.5 });
});

test("a side that does not cover its fee pays nothing, the other pays its own, and nothing is owed later", async () => {
  const card = await programme.issueCard({ credit: "0.49", reserve: "1000.00", rates, costs });
  const consumeNo = await declined(card);
  expect(await reversals.chargeDueFees()).toBe(1);
  expect(await programme.pots(card)).toEqual({ credit: ["0.49", "0.00"], reserve: ["999.90", "0.00"] });
  expect(await transactionOf(programme, card, consumeNo)).toMatchObject({
    remark: "insufficient_credit",
    fee: 0n,
    feeRows: [],
    creditTotal: 0n,
    reserveTotal: 10n,
  });
  await programme.grant(card, "100.00");
  expect(await reversals.chargeDueFees()).toBe(0);
  expect((await programme.pots(card)).credit).toEqual(["100.49", "0.00"]);
});

test("nobody pays for a decline that is not the cardholder's or the merchant's decision, nor for a cancel that was cleared before it was charged", async () => {
  const card = await programme.issueCard({ credit: "1000.00", reserve: "10.00", rates, costs });
  const ours = await declined(card);
  expect(await transactionOf(programme, card, ours)).toMatchObject({ remark: "insufficient_reserve", feeDue: "" });
  const message = purchaseWith(card, "5.00");
  const { networkReference: originalReference } = message;
  const { consumeNo } = await programme.authorization.authorize(message);
  await reversals.reverse(reversalOf(card, originalReference));
  expect(await transactionOf(programme, card, consumeNo)).toMatchObject({ feeDue: "cancel" });
  await programme.clearing.clear(presentmentWith(card, "5.00", { originalReference }));
  expect(await reversals.chargeDueFees()).toBe(1);
  expect(await programme.consumption(card, consumeNo)).toMatchObject({ remark: "cleared_late", fee: 25n });
  // 5.00 with 5 % and 1 % alone.
  expect(await programme.pots(card)).toEqual({ credit: ["994.75", "0.00"], reserve: ["4.95", "0.00"] });
});

for (const mode of ["CREDIT_EXTENSION", "AUTHORIZATION"] as const) {
  const credit = mode === "CREDIT_EXTENSION";

  test(`a cancelled purchase that is cleared after its fee was charged shows that fee beside its own (${mode})`, async () => {
    const card = await programme.issueCard({ mode, credit: "1000.00", reserve: "1000.00", rates, costs });
    const message = purchaseWith(card, "100.00");
    const { networkReference: originalReference } = message;
    const { consumeNo } = await programme.authorization.authorize(message);
    await reversals.reverse(reversalOf(card, originalReference));
    expect(await reversals.chargeDueFees()).toBe(1);
    for (const amount of ["60.00", "40.00"]) {
      await programme.clearing.clear(presentmentWith(card, amount, { originalReference }));
    }
    expect(await transactionOf(programme, card, consumeNo)).toMatchObject({
      status: "Success",
      remark: "cleared_late",
      amount: 10_000n,
      fee: credit ? 525n : 105n,
      feeRows: [
        { feeType: "Cancel_fee", amount: credit ? 25n : 5n },
        { feeType: "Consume_fee", amount: credit ? 500n : 100n },
      ],
      creditTotal: credit ? 10_525n : 0n,
      creditBooked: credit ? 10_500n : 0n,
      reserveTotal: 10_105n,
      reserveBooked: 10_100n,
    });
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["894.75", "0.00"] : ["0.00", "0.00"],
      reserve: ["898.95", "0.00"],
    });
    expect(await toldAbout(programme, card, consumeNo ?? "")).toEqual([
      "Pending",
      "Fail reversed",
      "Fail reversed",
      "Success cleared_late",
      "Success cleared_late",
    ]);
    // The cancel's fee is no part of what comes back.
    await reversals.reverse(reversalOf(card, originalReference));
    expect(await programme.pots(card)).toEqual({
      credit: credit ? ["994.75", "0.00"] : ["0.00", "0.00"],
      reserve: ["998.95", "0.00"],
    });
  });
}

test("a merchant's no is charged to its reserve", async () => {
  const card = await programme.issueCard({ mode: "AUTHORIZATION", reserve: "1000.00", costs });
  programme.ask = async () => answerNo;
  const consumeNo = await declined(card);
  expect(await reversals.chargeDueFees()).toBe(1);
  expect(await programme.consumption(card, consumeNo)).toMatchObject({ remark: "merchant_declined", fee: 10n });
});
