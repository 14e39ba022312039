import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  dayMs,
  openProgramme,
  type Programme,
  presentmentWith,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";
import { authorized, balanceOf, modes, mustBeClean, potsOf, toldAbout } from "./books.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterEach(async () => {
  await mustBeClean(programme);
});

afterAll(() => programme.close());

const clear = (card: ReadyCard, amount: string, changed: Parameters<typeof presentmentWith>[2] = {}) =>
  programme.clearing.clear(presentmentWith(card, amount, changed));

/** Accepted, for the first time. */
const became = (effect: string, consumeNo: unknown = expect.any(String)) => ({
  accepted: true,
  effect,
  consumeNo,
  repeat: false,
});

for (const mode of modes) {
  const shownFee = (cardholder: bigint, reserve: bigint) => (mode === "AUTHORIZATION" ? reserve : cardholder);

  test(`a clearing of the exact amount takes what was held, with its fees, on both sides (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    expect(await clear(card, "100.00", { originalReference })).toEqual(became("cleared", consumeNo));
    expect(await programme.pots(card)).toEqual(potsOf(card, ["895.00", "0.00"], ["9899.00", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Success",
      amount: 10_000n,
      fee: shownFee(500n, 100n),
      remark: "",
      localAmount: "100.00",
    });
    expect(await toldAbout(programme, card, consumeNo)).toEqual(["Pending", "Success"]);
    expect(await balanceOf(programme, card, "settlement")).toBe("100.00");
    expect(await balanceOf(programme, card, "platform_income")).toBe("1.00");
    const incomes = [await balanceOf(programme, card, "spending"), await balanceOf(programme, card, "merchant_income")];
    expect(incomes).toEqual(mode === "AUTHORIZATION" ? ["0.00", "0.00"] : ["100.00", "5.00"]);
  });

  test(`a clearing of less releases the rest with its fees (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    expect(await clear(card, "60.00", { originalReference })).toEqual(became("cleared", consumeNo));
    expect(await programme.pots(card)).toEqual(potsOf(card, ["937.00", "0.00"], ["9939.40", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Success",
      amount: 6_000n,
      fee: shownFee(300n, 60n),
      localAmount: "60.00",
    });
  });

  test(`a clearing of more is booked beyond the hold and flagged (${mode})`, async () => {
    const card = await programme.issueCard({ mode, credit: "110.00" });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    expect(await clear(card, "130.00", { originalReference })).toEqual(became("over_captured", consumeNo));
    // 136.50 of 110.00: below zero, since a clearing cannot be refused.
    expect(await programme.pots(card)).toEqual(potsOf(card, ["-26.50", "0.00"], ["9868.70", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Success",
      amount: 13_000n,
      fee: shownFee(650n, 130n),
      remark: "over_captured",
    });
    expect(await toldAbout(programme, card, consumeNo)).toEqual(["Pending", "Success over_captured"]);
    // Nobody can spend what is not there.
    const isCredit = mode === "CREDIT_EXTENSION";
    expect(await programme.authorization.authorize(purchaseWith(card, isCredit ? "0.01" : "9868.70"))).toMatchObject({
      approved: false,
      reason: isCredit ? "insufficient_credit" : "insufficient_reserve",
    });
  });

  test(`parts are booked as they come, the rest stays held, and fees follow the total (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    const part = { originalReference, final: false };
    expect(await clear(card, "3.33", part)).toEqual(became("partially_cleared", consumeNo));
    // 5 % of 3.33 is 0.17, 1 % is 0.03.
    expect(await programme.pots(card)).toEqual(potsOf(card, ["895.00", "101.50"], ["9899.00", "97.64"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Pending",
      remark: "partially_cleared",
      amount: 10_000n,
    });
    expect(await clear(card, "3.33", part)).toEqual(became("partially_cleared", consumeNo));
    // 5 % of 6.66 is 0.33, 1 % is 0.07.
    expect(await programme.pots(card)).toEqual(potsOf(card, ["895.00", "98.01"], ["9899.00", "94.27"]));
    expect(await clear(card, "3.33", { originalReference })).toEqual(became("cleared", consumeNo));
    // 5 % of 9.99 is 0.50, 1 % is 0.10: less than three times the fee of a part.
    expect(await programme.pots(card)).toEqual(potsOf(card, ["989.51", "0.00"], ["9989.91", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Success",
      amount: 999n,
      fee: shownFee(50n, 10n),
      localAmount: "9.99",
      remark: "",
    });
    expect(await toldAbout(programme, card, consumeNo)).toEqual([
      "Pending",
      "Pending partially_cleared",
      "Pending partially_cleared",
      "Success",
    ]);
  });

  test(`a part that is not the last ends the purchase when it is cleared in full (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "50.00");
    expect(await clear(card, "50.00", { originalReference, final: false })).toEqual(became("cleared", consumeNo));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ status: "Success", amount: 5_000n });
  });

  test(`a partly cleared purchase whose hold runs out is a success of what was cleared (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    await clear(card, "40.00", { originalReference, final: false });
    programme.clock.advance(7 * dayMs);
    expect(await programme.clearing.releaseExpired(programme.clock.now() - 1)).toBe(0);
    expect(await programme.clearing.releaseExpired()).toBe(1);
    expect(await programme.clearing.releaseExpired()).toBe(0);
    expect(await programme.pots(card)).toEqual(potsOf(card, ["958.00", "0.00"], ["9959.60", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Success",
      amount: 4_000n,
      fee: shownFee(200n, 40n),
      localAmount: "40.00",
      remark: "",
    });
    expect(await toldAbout(programme, card, consumeNo)).toEqual(["Pending", "Pending partially_cleared", "Success"]);
  });

  test(`a clearing after the hold has expired makes a success of the same consumption (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    programme.clock.advance(8 * dayMs);
    expect(await programme.clearing.releaseExpired()).toBe(1);
    expect(await clear(card, "100.00", { originalReference })).toEqual(became("cleared_late", consumeNo));
    expect(await programme.pots(card)).toEqual(potsOf(card, ["895.00", "0.00"], ["9899.00", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Success",
      remark: "cleared_late",
      fee: shownFee(500n, 100n),
    });
    expect(await toldAbout(programme, card, consumeNo)).toEqual(["Pending", "Fail expired", "Success cleared_late"]);
  });

  test(`two clearings whose sum exceeds the authorization are both booked, the second flagged (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    expect(await clear(card, "80.00", { originalReference })).toEqual(became("cleared", consumeNo));
    expect(await clear(card, "15.00", { originalReference })).toEqual(became("cleared_late", consumeNo));
    expect(await clear(card, "25.00", { originalReference })).toEqual(became("over_captured", consumeNo));
    expect(await programme.pots(card)).toEqual(potsOf(card, ["874.00", "0.00"], ["9878.80", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Success",
      amount: 12_000n,
      fee: shownFee(600n, 120n),
      localAmount: "120.00",
    });
  });

  test(`a clearing without an authorization is a consumption of its own, also for a card that is frozen or deleted (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    for (const [place, to] of (["Frozen", "Delete"] as const).entries()) {
      await programme.cards.requestStatus({ ...card, to });
      const answer = await clear(card, "20.00", { originalReference: place === 0 ? "" : "never-seen" });
      expect(answer).toEqual(became("force_posted"));
      const { consumeNo } = answer.accepted ? answer : { consumeNo: "" };
      expect(await programme.consumption(card, consumeNo)).toMatchObject({
        status: "Success",
        type: "Consumption",
        amount: 2_000n,
        fee: shownFee(100n, 20n),
        remark: "force_posted",
        consumeRelateNo: "",
      });
      expect(await toldAbout(programme, card, consumeNo)).toEqual(["Success force_posted"]);
    }
    expect(await programme.pots(card)).toEqual(potsOf(card, ["958.00", "0.00"], ["9959.60", "0.00"]));
  });

  test(`parts without a known authorization add up in one consumption (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const first = await clear(card, "20.00", { originalReference: "lost-1", final: false });
    const second = await clear(card, "30.00", { originalReference: "lost-1" });
    expect(second).toEqual(became("force_posted", first.accepted ? first.consumeNo : ""));
    const { consumeNo } = second.accepted ? second : { consumeNo: "" };
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ amount: 5_000n, localAmount: "50.00" });
    expect(await programme.consumptionsOf(card)).toBe(1);
  });

  test(`a clearing of a declined purchase is booked beside it and points to it (${mode})`, async () => {
    const card = await programme.issueCard({ mode, reserve: "10.00", credit: "10.00" });
    const request = purchaseWith(card, "100.00");
    const declined = await programme.authorization.authorize(request);
    expect(declined.approved).toBe(false);
    const answer = await clear(card, "100.00", { originalReference: request.networkReference });
    expect(answer).toEqual(became("force_posted"));
    expect(await programme.pots(card)).toEqual(potsOf(card, ["-95.00", "0.00"], ["-91.00", "0.00"]));
    expect(await programme.consumption(card, answer.accepted ? answer.consumeNo : "")).toMatchObject({
      consumeRelateNo: declined.consumeNo,
      remark: "force_posted",
    });
    expect(await programme.consumption(card, declined.consumeNo)).toMatchObject({ status: "Fail" });
  });

  test(`a clearing that comes again gets the same answer and moves nothing; one that says other things is a duplicate (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    const message = presentmentWith(card, "40.00", { originalReference });
    const first = await programme.clearing.clear(message);
    const after = await programme.pots(card);
    expect(await programme.clearing.clear(message)).toEqual({ ...first, repeat: true });
    for (const changed of [
      { amount: 4_001n },
      { final: false },
      { originalReference: "x" },
      { kind: "atm" } as const,
    ]) {
      expect(await programme.clearing.clear({ ...message, ...changed })).toEqual({
        accepted: false,
        effect: "duplicate",
      });
    }
    // The reference of an authorization is taken as well.
    expect(await clear(card, "40.00", { networkReference: originalReference })).toMatchObject({ effect: "duplicate" });
    expect(await programme.pots(card)).toEqual(after);
    expect(await toldAbout(programme, card, consumeNo)).toHaveLength(2);
  });

  test(`a clearing uses up the purchase, then its increments in order, and gives back what it did not need (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    const second = await authorized(programme, card, "50.00", { incrementOf: originalReference });
    const third = await authorized(programme, card, "30.00", { incrementOf: originalReference });
    expect(await clear(card, "120.00", { originalReference })).toEqual(became("cleared", consumeNo));
    expect(await programme.pots(card)).toEqual(potsOf(card, ["874.00", "0.00"], ["9878.80", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ status: "Success", amount: 10_000n });
    expect(await programme.consumption(card, second.consumeNo)).toMatchObject({
      status: "Success",
      amount: 2_000n,
      localAmount: "20.00",
    });
    expect(await programme.consumption(card, third.consumeNo)).toMatchObject({
      status: "Fail",
      remark: "reversed",
      detail: "Not needed by the clearing.",
      fee: 0n,
    });
  });

  test(`parts go through a purchase and its increment, and what exceeds both is the purchase's (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    const second = await authorized(programme, card, "50.00", { incrementOf: originalReference });
    const part = { originalReference, final: false };
    expect(await clear(card, "60.00", part)).toEqual(became("partially_cleared", consumeNo));
    expect(await clear(card, "60.00", part)).toEqual(became("partially_cleared", consumeNo));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ status: "Success", amount: 10_000n });
    expect(await programme.consumption(card, second.consumeNo)).toMatchObject({ remark: "partially_cleared" });
    expect(await clear(card, "50.00", { originalReference })).toEqual(became("over_captured", consumeNo));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ amount: 12_000n, remark: "over_captured" });
    expect(await programme.consumption(card, second.consumeNo)).toMatchObject({ status: "Success", amount: 5_000n });
    // 170.00 in all, with 5 % and 1 %.
    expect(await programme.pots(card)).toEqual(potsOf(card, ["821.50", "0.00"], ["9828.30", "0.00"]));
  });

  test(`a clearing of an account verification is booked as more than was authorized (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "0.00");
    expect(await clear(card, "10.00", { originalReference })).toEqual(became("over_captured", consumeNo));
    expect(await programme.pots(card)).toEqual(potsOf(card, ["989.50", "0.00"], ["9989.90", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ status: "Success", amount: 1_000n });
  });

  test(`a final clearing of nothing releases everything (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const before = await programme.pots(card);
    const { originalReference, consumeNo } = await authorized(programme, card, "10.00");
    expect(await clear(card, "0.00", { originalReference, final: false })).toEqual(became("no_effect", consumeNo));
    expect(await clear(card, "0.00", { originalReference })).toEqual(became("cleared", consumeNo));
    expect(await programme.pots(card)).toEqual(before);
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ status: "Success", amount: 0n, fee: 0n });
  });

  test(`a withdrawal is cleared with the fee of its final amount, the minimum included (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const { originalReference, consumeNo } = await authorized(programme, card, "400.00", { kind: "atm" });
    expect(await clear(card, "50.00", { originalReference, kind: "atm" })).toEqual(became("cleared", consumeNo));
    expect(await programme.pots(card)).toEqual(potsOf(card, ["947.00", "0.00"], ["9949.00", "0.00"]));
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      type: "Atm",
      feeRows: [{ feeType: "Atm_fee", amount: shownFee(300n, 100n) }],
    });
  });
}

test("a card number that was never issued is not found", async () => {
  const card = await programme.issueCard();
  expect(await clear(card, "1.00", { pan: "4111111111111111" })).toEqual({
    accepted: false,
    effect: "card_not_found",
  });
});

test("a reference of another card's purchase is as good as none", async () => {
  const card = await programme.issueCard();
  const other = await programme.anotherCard(card);
  const { originalReference, consumeNo } = await authorized(programme, other, "10.00");
  expect(await clear(card, "10.00", { originalReference })).toEqual(became("force_posted"));
  expect(await programme.consumption(other, consumeNo)).toMatchObject({ status: "Pending" });
});
