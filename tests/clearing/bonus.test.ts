import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  cents,
  dayMs,
  openProgramme,
  type Programme,
  presentmentWith,
  type ReadyCard,
  reversalOf,
} from "../support/programme.ts";
import { authorized, balanceOf, mustBeClean, numberIn, reversed } from "./books.ts";

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

/** A cardholder with a balance and a bonus. */
async function endowed({ credit, bonus }: { readonly credit: string; readonly bonus: string }): Promise<ReadyCard> {
  const card = await programme.issueCard({ credit });
  const { merchantId, cardholderNo } = card;
  const gift = { merchantId, cardholderNo, type: "In", reference: "spring", reason: "Spring campaign" } as const;
  expect(await programme.credit.grantBonus({ ...gift, amount: cents(bonus) }, { actor: "operator" })).toMatchObject({
    ok: true,
  });
  return card;
}

/** Balance and bonus, minor units. */
async function has(card: ReadyCard): Promise<readonly [balance: bigint | undefined, bonus: bigint | undefined]> {
  const accounts = await programme.credit.accountsOf(card);
  return [accounts?.credit.available, accounts?.bonus.available];
}

test("a cleared purchase is repaid from the bonus with its fees, as far as that reaches, and a repeat repays nothing", async () => {
  const card = await endowed({ credit: "50.00", bonus: "30.00" });
  const { originalReference } = await authorized(programme, card, "40.00");
  expect(await has(card)).toEqual([800n, 3_000n]);
  const message = presentmentWith(card, "40.00", { originalReference });
  const answers = await Promise.all([programme.clearing.clear(message), programme.clearing.clear(message)]);
  expect(answers.map(({ effect }) => effect)).toEqual(["cleared", "cleared"]);
  expect(await has(card)).toEqual([3_800n, 0n]);
  expect(await balanceOf(programme, card, "spending")).toBe("40.00");
  expect(await balanceOf(programme, card, "merchant_income")).toBe("2.00");
});

test("each part is repaid with the fee that it adds, to the cent", async () => {
  const card = await endowed({ credit: "200.00", bonus: "30.00" });
  const { originalReference } = await authorized(programme, card, "100.00");
  const part = { originalReference, final: false };
  await clear(card, "3.33", part);
  // 5 % of 3.33 is 0.17.
  expect(await has(card)).toEqual([9_850n, 2_650n]);
  await clear(card, "3.33", part);
  // 5 % of 6.66 is 0.33: another 0.16.
  expect(await has(card)).toEqual([10_199n, 2_301n]);
  await clear(card, "3.34", { originalReference });
  expect(await has(card)).toEqual([20_000n, 1_950n]);
});

test("purchases nobody has authorized and those with increments are repaid as well", async () => {
  const card = await endowed({ credit: "500.00", bonus: "300.00" });
  await clear(card, "20.00");
  expect(await has(card)).toEqual([50_000n, 27_900n]);
  const { originalReference } = await authorized(programme, card, "100.00");
  await authorized(programme, card, "50.00", { incrementOf: originalReference });
  await clear(card, "120.00", { originalReference });
  expect(await has(card)).toEqual([50_000n, 15_300n]);
});

test("a fee that a purchase owes when its rest expires or is reversed is repaid as well", async () => {
  const rates = { small_consume_threshold: "50.00", small_consume_deduct: "0.30" };
  const card = await programme.issueCard({ credit: "500.00", rates });
  const gift = { ...card, type: "In", reference: "spring", reason: "Spring", amount: 10_000n } as const;
  await programme.credit.grantBonus(gift, { actor: "operator" });
  for (const [place, ends] of [
    () => programme.clearing.releaseExpired(),
    (reference: string) => reversed(programme, reversalOf(card, reference)),
  ].entries()) {
    const { originalReference } = await authorized(programme, card, "100.00");
    await clear(card, "40.00", { originalReference, final: false });
    programme.clock.advance(place === 0 ? 7 * dayMs : 0);
    await ends(originalReference);
    expect(await has(card)).toEqual([50_000n, 10_000n - 4_030n * BigInt(place + 1)]);
  }
});

test("a refund and a reversal go to the balance, and never back to the bonus", async () => {
  const card = await endowed({ credit: "100.00", bonus: "60.00" });
  const { originalReference } = await authorized(programme, card, "40.00");
  await clear(card, "40.00", { originalReference });
  expect(await has(card)).toEqual([10_000n, 1_800n]);
  expect(await clear(card, "30.00", { originalReference, kind: "refund" })).toMatchObject({ effect: "refunded" });
  expect(await has(card)).toEqual([13_000n, 1_800n]);
  const answer = await reversed(programme, reversalOf(card, originalReference));
  expect(await programme.consumption(card, numberIn(answer))).toMatchObject({ amount: 1_000n });
  expect(await has(card)).toEqual([14_000n, 1_800n]);
});

test("a bonus covers a clearing before the merchant's income bears any of it", async () => {
  const card = await endowed({ credit: "50.00", bonus: "30.00" });
  const change = { shortfallPolicy: "absorb" } as const;
  await programme.merchants.update({ merchantId: card.merchantId, change }, { actor: "operator" });
  await clear(card, "100.00");
  expect(await has(card)).toEqual([0n, 0n]);
  expect(await balanceOf(programme, card, "merchant_income")).toBe("-20.00");
});

test("many clearings of one cardholder's cards at once use the bonus up once", async () => {
  const card = await endowed({ credit: "500.00", bonus: "30.00" });
  const other = await programme.anotherCard(card);
  const answers = await Promise.all([1, 2, 3, 4].flatMap(() => [clear(card, "10.00"), clear(other, "10.00")]));
  expect(answers.map(({ effect }) => effect)).toEqual(answers.map(() => "force_posted"));
  expect(await has(card)).toEqual([50_000n - 8_400n + 3_000n, 0n]);
});

test("in authorization mode there is no bonus to look at", async () => {
  const card = await programme.issueCard({ mode: "AUTHORIZATION" });
  expect(await clear(card, "10.00")).toMatchObject({ effect: "force_posted" });
});
