import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  dayMs,
  openProgramme,
  type Programme,
  presentmentWith,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";
import { authorized, balanceOf, modes, mustBeClean, potsOf } from "./books.ts";

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
const buy = (card: ReadyCard, amount: string, changed: Parameters<typeof purchaseWith>[2] = {}) =>
  programme.authorization.authorize(purchaseWith(card, amount, changed));

/** Below 10.00 a purchase costs 0.50 and 0.20 more; one is free, for ever, on each side. */
const small = {
  rates: {
    consume_rate: "0.05",
    small_consume_threshold: "10.00",
    small_consume_deduct: "0.50",
    free_small_consume_count: 1,
    free_small_excuse_type: "Forever",
  },
  costs: {
    consume_rate: "0.01",
    small_consume_threshold: "10.00",
    small_consume_deduct: "0.20",
    free_small_consume_count: 1,
    free_small_excuse_type: "Forever",
  },
} as const;

for (const mode of modes) {
  const shown = (cardholder: bigint, reserve: bigint) => (mode === "AUTHORIZATION" ? reserve : cardholder);

  test(`a purchase that turns out to be a small one uses the free one up, the next is charged (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...small });
    const fees: bigint[] = [];
    for (const _ of [1, 2]) {
      const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
      await clear(card, "4.00", { originalReference });
      fees.push((await programme.consumption(card, consumeNo)).fee);
    }
    expect(fees).toEqual([shown(20n, 4n), shown(70n, 24n)]);
  });

  test(`a part below the threshold is not taken for a small purchase while more may come (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...small });
    const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
    await clear(card, "4.00", { originalReference, final: false });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["895.00", "100.80"], ["9899.00", "96.96"]));
    await clear(card, "6.00", { originalReference });
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ amount: 1_000n, fee: shown(50n, 10n) });
    // The free one is still there.
    const next = await authorized(programme, card, "20.00");
    await clear(card, "4.00", { originalReference: next.originalReference });
    expect(await programme.consumption(card, next.consumeNo)).toMatchObject({ fee: shown(20n, 4n) });
  });

  test(`how the small fee was decided at the authorization stays (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...small });
    for (const fee of [shown(20n, 4n), shown(70n, 24n)]) {
      const { originalReference, consumeNo } = await authorized(programme, card, "5.00");
      await clear(card, "4.00", { originalReference });
      expect(await programme.consumption(card, consumeNo)).toMatchObject({ fee });
    }
  });

  test(`a small fee that was booked with a part comes back when the total is not small any more (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...small });
    const first = await authorized(programme, card, "1.00");
    await clear(card, "1.00", { originalReference: first.originalReference });
    const { originalReference, consumeNo } = await authorized(programme, card, "9.00");
    await clear(card, "5.00", { originalReference, final: false });
    // 5.00 with 0.25 and 0.50, 5.00 with 0.05 and 0.20, beside 1.05 and 1.01 of the first.
    expect(await programme.pots(card)).toEqual(potsOf(card, ["989.00", "4.20"], ["9989.70", "4.04"]));
    await clear(card, "15.00", { originalReference });
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ amount: 2_000n, fee: shown(100n, 20n) });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["977.95", "0.00"], ["9978.79", "0.00"]));
  });

  test(`the limits follow what is cleared: less gives back, more and what nobody authorized count (${mode})`, async () => {
    const card = await programme.issueCard({ mode, credit: "5000.00", limits: { limit_week_balance: "300.00" } });
    const first = await authorized(programme, card, "300.00");
    expect(await buy(card, "0.01")).toMatchObject({ reason: "limit_week" });
    await clear(card, "100.00", first);
    const second = await authorized(programme, card, "100.00");
    await clear(card, "150.00", second);
    expect(await buy(card, "50.01")).toMatchObject({ reason: "limit_week" });
    await clear(card, "40.00");
    expect(await buy(card, "10.01")).toMatchObject({ reason: "limit_week" });
    expect(await buy(card, "10.00")).toMatchObject({ approved: true });
    // A new week begins with what is forced into it.
    programme.clock.advance(7 * dayMs);
    await clear(card, "299.00");
    expect(await buy(card, "1.01")).toMatchObject({ reason: "limit_week" });
    // What was bought in the old week is cleared there.
    await clear(card, "400.00", second);
    expect(await buy(card, "1.00")).toMatchObject({ approved: true });
  });

  test(`a withdrawal that nobody authorized counts against the day and the month (${mode})`, async () => {
    const card = await programme.issueCard({
      mode,
      limits: { limit_atm_day_balance: "100.00", limit_atm_month_balance: "150.00" },
    });
    await clear(card, "90.00", { kind: "atm" });
    expect(await buy(card, "10.01", { kind: "atm" })).toMatchObject({ reason: "limit_atm_day" });
    programme.clock.advance(dayMs);
    expect(await buy(card, "60.01", { kind: "atm" })).toMatchObject({ reason: "limit_atm_month" });
    expect(await buy(card, "60.00", { kind: "atm" })).toMatchObject({ approved: true });
  });
}

test("by the absorb policy the cardholder's account stops at zero and the merchant's income bears the rest", async () => {
  const card = await programme.issueCard({ credit: "110.00" });
  const change = { shortfallPolicy: "absorb" } as const;
  await programme.merchants.update({ merchantId: card.merchantId, change }, { actor: "operator" });
  const { originalReference, consumeNo } = await authorized(programme, card, "100.00");
  await clear(card, "102.00", { originalReference, final: false });
  // 107.10, all covered.
  expect(await programme.pots(card)).toEqual({ credit: ["2.90", "0.00"], reserve: ["9896.98", "0.00"] });
  // 130.00 and 6.50 in all: 110.00 are there, so the fees go first, then 20.00 of the amount.
  expect(await clear(card, "28.00", { originalReference })).toMatchObject({ effect: "over_captured" });
  expect(await programme.pots(card)).toEqual({ credit: ["0.00", "0.00"], reserve: ["9868.70", "0.00"] });
  expect(await balanceOf(programme, card, "spending")).toBe("130.00");
  expect(await balanceOf(programme, card, "merchant_income")).toBe("-20.00");
  expect(await programme.consumption(card, consumeNo)).toMatchObject({ amount: 13_000n, fee: 650n });
});
