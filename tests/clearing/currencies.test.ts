import { parseRate, type Rate } from "@cardwright/money";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import {
  adviceWith,
  cents,
  openProgramme,
  type Programme,
  presentmentWith,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";
import { modes, mustBeClean, potsOf } from "./books.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

beforeEach(() => {
  programme.rateOf = async () => null;
});

afterEach(async () => {
  await mustBeClean(programme);
});

afterAll(() => programme.close());

function rate(text: string): Rate {
  const parsed = parseRate(text);
  if (!parsed.ok) throw new Error(`not a rate: ${text}`);
  return parsed.value;
}

/** Another 3 % of the cardholder and 1 % of the reserve for what is not in the card's currency. */
const wishes = {
  rates: { consume_rate: "0.05", cross_consume_rate: "0.08" },
  costs: { consume_rate: "0.01", cross_consume_rate: "0.02" },
};

const clear = (card: ReadyCard, changed: Parameters<typeof presentmentWith>[2]) =>
  programme.clearing.clear(presentmentWith(card, "0.00", changed));
const numberIn = (answer: Awaited<ReturnType<typeof clear>>): string => (answer.accepted ? answer.consumeNo : "");

async function exchangeOf(card: ReadyCard, consumeNo: string) {
  const { rows } = await programme.db.pool.query<{ rate: string; source: string; at: bigint | null }>(
    `SELECT exchange_rate AS rate, exchange_source AS source, exchange_at AS at FROM consumption
     WHERE merchant_id = $1 AND consume_no = $2`,
    [card.merchantId, consumeNo],
  );
  return rows[0];
}

for (const mode of modes) {
  test(`a clearing in another currency is billed by the network's word, then its rate, then the table (${mode})`, async () => {
    const card = await programme.issueCard({ mode, ...wishes });
    programme.rateOf = async (currency: string) =>
      currency === "KWD" ? { rate: rate("3.25"), source: "table", at: 42 } : null;
    const yen = { amount: 10_000n, currency: "JPY" } as const;
    // 10,000 JPY: the network's 64.00 wins over its own rate.
    const told = await clear(card, { ...yen, billingAmount: 6_400n, exchangeRate: rate("0.0065") });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["930.88", "0.00"], ["9934.72", "0.00"]));
    expect(await exchangeOf(card, numberIn(told))).toMatchObject({ rate: "0.0065", source: "network" });
    // At 0.0065 it is 65.00.
    await clear(card, { ...yen, exchangeRate: rate("0.0065") });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["860.68", "0.00"], ["9868.42", "0.00"]));
    // 1.234 KWD at 3.25 is 4.0105: 4.01, with fees of 0.20 + 0.12 and 0.04 + 0.04.
    const dinars = await clear(card, { amount: 1_234n, currency: "KWD" });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["856.35", "0.00"], ["9864.33", "0.00"]));
    expect(await programme.consumption(card, numberIn(dinars))).toMatchObject({
      amount: 401n,
      localAmount: "1.234",
      localCurrency: "KWD",
      feeRows: [{ feeType: "Consume_fee" }, { feeType: "Exchange_fee" }],
    });
    expect(await exchangeOf(card, numberIn(dinars))).toEqual({ rate: "3.25", source: "table", at: 42n });
  });

  test(`what nobody can convert is not taken, leaves nothing behind and may come again (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const before = await programme.pots(card);
    const message = presentmentWith(card, "0.00", { amount: 1_000n, currency: "EUR" });
    const refused = { accepted: false, effect: "currency_not_supported" };
    expect(await programme.clearing.clear(message)).toEqual(refused);
    expect(await programme.clearing.clear({ ...message, kind: "refund" })).toEqual(refused);
    const advice = adviceWith(card, "0.00", { amount: 1_000n, currency: "EUR" });
    expect(await programme.clearing.advise(advice)).toEqual(refused);
    expect(await programme.pots(card)).toEqual(before);
    expect(await programme.consumptionsOf(card)).toBe(0);
    programme.rateOf = async () => ({ rate: rate("1.1"), source: "table", at: 1 });
    const first = await programme.clearing.clear(message);
    expect(first).toMatchObject({ accepted: true, effect: "force_posted" });
    // The same answer, also when the table has nothing any more.
    programme.rateOf = async () => null;
    expect(await programme.clearing.clear(message)).toEqual({ ...first, repeat: true });
  });

  test(`parts at different rates sum up in both currencies (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const yen = { currency: "JPY" } as const;
    const request = purchaseWith(card, "0.00", { ...yen, amount: 10_000n, billingAmount: 6_400n });
    const { consumeNo } = await programme.authorization.authorize(request);
    const part = { ...yen, originalReference: request.networkReference };
    expect(await clear(card, { ...part, amount: 3_000n, billingAmount: 2_000n, final: false })).toMatchObject({
      effect: "partially_cleared",
    });
    expect(await clear(card, { ...part, amount: 5_000n, billingAmount: 3_300n })).toMatchObject({ effect: "cleared" });
    expect(await programme.consumption(card, consumeNo)).toMatchObject({
      status: "Success",
      amount: 5_300n,
      localAmount: "8000",
      localCurrency: "JPY",
    });
    expect(await programme.pots(card)).toEqual(potsOf(card, ["944.35", "0.00"], ["9946.47", "0.00"]));
  });

  test(`a clearing in another currency than its authorization counts as its share of the authorized amount (${mode})`, async () => {
    const card = await programme.issueCard({ mode });
    const request = purchaseWith(card, "0.00", { currency: "JPY", amount: 10_000n, billingAmount: 6_400n });
    const { consumeNo } = await programme.authorization.authorize(request);
    await clear(card, { originalReference: request.networkReference, amount: cents("32.00") });
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ amount: 3_200n, localAmount: "5000" });
  });
}

test("a TUSDT amount is at par and not exchanged", async () => {
  const card = await programme.issueCard(wishes);
  const answer = await clear(card, { amount: 1_000n, currency: "TUSDT" });
  expect(await programme.consumption(card, numberIn(answer))).toMatchObject({ amount: 1_000n, fee: 50n });
  expect(await exchangeOf(card, numberIn(answer))).toEqual({ rate: "", source: "", at: null });
});

test("a refund in another currency keeps both amounts", async () => {
  const card = await programme.issueCard(wishes);
  const answer = await clear(card, { kind: "refund", amount: 500n, currency: "JPY", exchangeRate: rate("0.0066") });
  expect(await programme.consumption(card, numberIn(answer))).toMatchObject({ amount: 330n, localAmount: "500" });
  expect(await exchangeOf(card, numberIn(answer))).toMatchObject({ rate: "0.0066", source: "network" });
});
