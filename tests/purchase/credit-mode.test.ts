import { DECLINES, type DeclineReason } from "@cardwright/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AuthorizationRequest } from "../../apps/server/src/authorization/index.ts";
import { consumptionData } from "../../apps/server/src/consumptions/index.ts";
import {
  type CardWishes,
  cents,
  dayMs,
  openProgramme,
  type Programme,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";

let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

const buy = (card: ReadyCard, amount: string, changed: Partial<AuthorizationRequest> = {}) =>
  programme.authorization.authorize(purchaseWith(card, amount, changed));

test("an approved purchase holds amount and fee on the cardholder, amount and cost on the reserve", async () => {
  const card = await programme.issueCard({ credit: "1000.00", reserve: "10000.00" });
  const answer = await buy(card, "100.00");
  expect(answer).toEqual({
    approved: true,
    partialAmount: null,
    balance: null,
    consumeNo: expect.stringMatching(/^O20260522/u),
    repeat: false,
  });
  expect(await programme.pots(card)).toEqual({ credit: ["895.00", "105.00"], reserve: ["9899.00", "101.00"] });
  expect(await programme.consumption(card, answer.consumeNo)).toMatchObject({
    cardNo: card.cardNo,
    cardholderNo: card.cardholderNo,
    type: "Consumption",
    status: "Pending",
    amount: 10_000n,
    fee: 500n,
    feeRows: [{ feeType: "Consume_fee", amount: 500n }],
    localAmount: "100.00",
    localCurrency: "USD",
    remark: "",
    detail: "",
    acceptor: { name: "Corner Shop", mcc: "5411", city: "Singapore", country: "SG" },
    createdAt: programme.clock.now(),
  });
});

test("the push of a purchase is exactly the text of the contract, in its key order and number form", async () => {
  const card = await programme.issueCard();
  const { consumeNo } = await buy(card, "12.50");
  const pushes = await programme.pushes(card);
  expect(pushes.map(({ sequence, action }) => [sequence, action])).toEqual([
    [1, "Card_update"],
    [2, "Consumption"],
  ]);
  expect(pushes[1]?.text).toBe(
    `{"consume_no":"${consumeNo}","consume_relate_no":"","card_no":"${card.cardNo}","cardholder_no":"${card.cardholderNo}",` +
      `"type":"Consumption","amount":12.5,"local_amount":12.5,"local_currency":"USD","fee":0.63,"remark":"","detail":"",` +
      `"fee_detail":[{"amount":0.63,"fee_type":"Consume_fee"}],"merchant_info":{"country":"SG","merchant_mcc":"5411",` +
      `"city":"Singapore","merchant_name":"Corner Shop"},"status":"Pending","time":${programme.clock.now()}}`,
  );
});

test("the push of a decline carries its reason and no fee", async () => {
  const card = await programme.issueCard({ credit: "1.00" });
  await buy(card, "100.00");
  const [, push] = await programme.pushes(card);
  expect(push?.text).toContain(
    `"fee":0,"remark":"insufficient_credit","detail":"${DECLINES.insufficient_credit.en}","fee_detail":[],"merchant_info":`,
  );
  expect(push?.data["status"]).toBe("Fail");
});

test("every text in a push is written back by JSON.stringify as it was signed", async () => {
  const card = await programme.issueCard();
  const names = ['Bäckerei "Ö/Ä" & Söhne <1>', "喫茶店 ☕", "back\\slash", "naïve 🧁 café"];
  for (const name of names) {
    await buy(card, "1.10", { acceptor: { name, mcc: "", city: "", country: "" } });
  }
  const pushes = await programme.pushes(card);
  expect(pushes.map(({ data }) => JSON.stringify(data))).toEqual(pushes.map(({ text }) => text));
  expect(pushes.slice(1).map(({ data }) => data["merchant_info"])).toEqual(
    names.map((name) => expect.objectContaining({ merchant_name: name })),
  );
});

test("whatever becomes of a purchase, its push says what the books say", async () => {
  const card = await programme.issueCard({ credit: "50.00" });
  for (const name of ["Corner Shop", "喫茶店 𝒳 🧁", 'quoted "," here']) {
    const acceptor = { name, mcc: "5411", city: "São Paulo", country: "BR" };
    for (const [amount, changed] of [
      ["1.10", {}],
      ["0.00", {}],
      ["900.00", {}],
      ["7.00", { kind: "refund" }],
      ["3.00", { currency: "EUR", billingAmount: null }],
    ] as const) {
      const { consumeNo } = await buy(card, amount, { acceptor, ...changed });
      const push = (await programme.pushes(card)).at(-1);
      const consumption = await programme.consumption(card, consumeNo);
      expect(push?.text).toBe(consumptionData(consumption, { time: programme.clock.now() }));
    }
  }
});

test("Sequence counts the pushes about a card without gaps, whatever became of the purchases", async () => {
  const card = await programme.issueCard({ credit: "30.00" });
  await Promise.all(Array.from({ length: 40 }, () => buy(card, "1.00")));
  const pushes = await programme.pushes(card);
  expect(pushes.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 41 }, (_, place) => place + 1));
  expect(new Set(pushes.slice(1).map(({ data }) => data["status"]))).toEqual(new Set(["Pending", "Fail"]));
});

test("a withdrawal pays the ATM fee on both sides", async () => {
  const card = await programme.issueCard({ credit: "1000.00", reserve: "1000.00" });
  const { consumeNo } = await buy(card, "100.00", { kind: "atm" });
  expect(await programme.pots(card)).toEqual({ credit: ["897.00", "103.00"], reserve: ["899.00", "101.00"] });
  expect(await programme.consumption(card, consumeNo)).toMatchObject({
    type: "Atm",
    feeRows: [{ feeType: "Atm_fee", amount: 300n }],
  });
});

test("a purchase that takes the last cent of credit and reserve is approved", async () => {
  const card = await programme.issueCard({ credit: "105.00", reserve: "101.00" });
  expect(await buy(card, "100.00")).toMatchObject({ approved: true });
  expect(await programme.pots(card)).toEqual({ credit: ["0.00", "105.00"], reserve: ["0.00", "101.00"] });
});

test("a purchase in another currency takes what the network converted it to and keeps the local amount", async () => {
  const card = await programme.issueCard();
  const { consumeNo } = await buy(card, "0.00", { amount: 1_000n, currency: "JPY", billingAmount: cents("6.40") });
  expect(await programme.consumption(card, consumeNo)).toMatchObject({
    status: "Pending",
    amount: 640n,
    localAmount: "1000",
    localCurrency: "JPY",
  });
  expect((await programme.pushes(card)).at(-1)?.text).toContain(
    '"amount":6.4,"local_amount":1000,"local_currency":"JPY"',
  );
});

test("an account verification is approved and over at once, without a hold, also on an empty account and in any currency", async () => {
  const card = await programme.issueCard({ credit: "0.00", reserve: "0.00" });
  for (const [kind, currency] of [
    ["purchase", "USD"],
    ["atm", "USD"],
    ["purchase", "EUR"],
  ] as const) {
    const { approved, consumeNo } = await buy(card, "0.00", { kind, currency });
    expect(approved).toBe(true);
    expect(await programme.consumption(card, consumeNo)).toMatchObject({ status: "Success", amount: 0n, fee: 0n });
  }
  expect(await programme.pots(card)).toEqual({ credit: ["0.00", "0.00"], reserve: ["0.00", "0.00"] });
  expect((await programme.pushes(card)).slice(1).map(({ data }) => data["status"])).toEqual(Array(3).fill("Success"));
  await programme.cards.requestStatus({ ...card, to: "Frozen" });
  expect(await buy(card, "0.00")).toMatchObject({ approved: false, reason: "card_frozen" });
});

test("a purchase needs neither expiry nor CVV when the network sends none", async () => {
  const card = await programme.issueCard();
  expect(await buy(card, "1.00", { expiry: null, cvv: null })).toMatchObject({ approved: true });
});

/** A card in the state that the reason is about, and the purchase that meets it. */
interface Declined {
  readonly reason: DeclineReason;
  readonly wishes?: CardWishes;
  readonly before?: (card: ReadyCard) => Promise<unknown>;
  readonly changed?: (card: ReadyCard) => Partial<AuthorizationRequest>;
}

const cases: readonly (readonly [string, Declined])[] = [
  [
    "a deleted card",
    { reason: "card_not_active", before: (card) => programme.cards.requestStatus({ ...card, to: "Delete" }) },
  ],
  [
    "a frozen card",
    { reason: "card_frozen", before: (card) => programme.cards.requestStatus({ ...card, to: "Frozen" }) },
  ],
  ["a wrong expiry", { reason: "card_expired", changed: () => ({ expiry: { year: 2029, month: 6 } }) }],
  ["a wrong CVV", { reason: "cvv_mismatch", changed: () => ({ cvv: "not" }) }],
  [
    "a purchase above the limit of one",
    { reason: "limit_per_purchase", wishes: { limits: { limit_balance: "99.99" } } },
  ],
  [
    "a purchase beyond the week's limit",
    {
      reason: "limit_week",
      wishes: { limits: { limit_week_balance: "199.99" } },
      before: (card) => buy(card, "100.00"),
    },
  ],
  [
    "a withdrawal beyond the day's limit",
    {
      reason: "limit_atm_day",
      wishes: { limits: { limit_atm_day_balance: "199.99" } },
      before: (card) => buy(card, "100.00", { kind: "atm" }),
      changed: () => ({ kind: "atm" }),
    },
  ],
  [
    "a withdrawal beyond the month's limit",
    {
      reason: "limit_atm_month",
      wishes: { limits: { limit_atm_month_balance: "199.99" } },
      before: (card) => buy(card, "100.00", { kind: "atm" }),
      changed: () => ({ kind: "atm" }),
    },
  ],
  ["a cardholder one cent short of amount and fee", { reason: "insufficient_credit", wishes: { credit: "104.99" } }],
  ["a reserve one cent short of amount and cost", { reason: "insufficient_reserve", wishes: { reserve: "100.99" } }],
  [
    "a disabled merchant",
    {
      reason: "merchant_disabled",
      before: ({ merchantId }) =>
        programme.merchants.update({ merchantId, change: { status: "Disabled" } }, { actor: "test" }),
    },
  ],
  ["a currency that nobody converted", { reason: "currency_not_supported", changed: () => ({ currency: "EUR" }) }],
  [
    "a known reference with another amount",
    {
      reason: "duplicate",
      before: (card) => buy(card, "1.00", { networkReference: `once-${card.cardNo}` }),
      changed: (card) => ({ networkReference: `once-${card.cardNo}` }),
    },
  ],
];

describe("a declined purchase leaves a failed consumption with its reason, a push, and the money where it was", () => {
  test.each(cases)("%s", async (_name, { reason, wishes, before, changed }) => {
    const card = await programme.issueCard(wishes);
    await before?.(card);
    const pots = await programme.pots(card);
    const answer = await buy(card, "100.00", changed?.(card));
    expect(answer).toEqual({
      approved: false,
      merchantReason: null,
      reason,
      consumeNo: expect.any(String),
      repeat: false,
    });
    expect(await programme.pots(card)).toEqual(pots);
    expect(await programme.consumption(card, answer.consumeNo)).toMatchObject({
      status: "Fail",
      remark: reason,
      detail: DECLINES[reason].en,
      fee: 0n,
      feeRows: [],
    });
    expect((await programme.pushes(card)).at(-1)).toMatchObject({
      action: "Consumption",
      data: { consume_no: answer.consumeNo, status: "Fail", remark: reason, detail: DECLINES[reason].en, fee: 0 },
    });
  });
});

test("a number that no card has is declined without a consumption", async () => {
  const card = await programme.issueCard();
  const unknown = purchaseWith(card, "1.00", { pan: "4242424242424242" });
  expect(await programme.authorization.authorize(unknown)).toEqual({
    approved: false,
    merchantReason: null,
    reason: "card_not_found",
    consumeNo: null,
    repeat: false,
  });
  expect(await programme.consumptionsOf(card)).toBe(0);
});

test("the state of merchant and card goes before what the shop typed wrong, and that before limits and money", async () => {
  const card = await programme.issueCard({ credit: "0.00", limits: { limit_balance: "1.00" } });
  const wrongCvv = { cvv: "not" } as const;
  expect(await buy(card, "5.00")).toMatchObject({ reason: "limit_per_purchase" });
  expect(await buy(card, "5.00", wrongCvv)).toMatchObject({ reason: "cvv_mismatch" });
  await programme.cards.requestStatus({ ...card, to: "Frozen" });
  expect(await buy(card, "5.00", wrongCvv)).toMatchObject({ reason: "card_frozen" });
  await programme.merchants.update({ merchantId: card.merchantId, change: { status: "Disabled" } }, { actor: "test" });
  expect(await buy(card, "5.00", wrongCvv)).toMatchObject({ reason: "merchant_disabled" });
});

describe("on a clock that moves", () => {
  let moved: Programme;
  beforeAll(async () => {
    moved = await openProgramme();
  });
  afterAll(() => moved.close());
  const pay = (card: ReadyCard, amount: string, kind: "purchase" | "atm" = "purchase") =>
    moved.authorization.authorize(purchaseWith(card, amount, { kind }));

  test("a card is good to the last millisecond of its last month in its own time zone, and then expired", async () => {
    const card = await moved.issueCard({ validMonths: 1 });
    expect(card.printed.expiry).toEqual({ year: 2026, month: 6 });
    const end = Date.UTC(2026, 5, 30, 16);
    moved.clock.advance(end - 1 - moved.clock.now());
    expect(await pay(card, "1.00")).toMatchObject({ approved: true });
    moved.clock.advance(1);
    expect(await pay(card, "1.00")).toMatchObject({ approved: false, reason: "card_expired" });
  });

  test("limits count by the card's own Monday, day and month", async () => {
    // Wednesday 2026-07-01, 04:00 in UTC+8.
    moved.clock.advance(Date.UTC(2026, 5, 30, 20) - moved.clock.now());
    const card = await moved.issueCard({
      credit: "5000.00",
      limits: { limit_week_balance: "500.00", limit_atm_day_balance: "100.00", limit_atm_month_balance: "250.00" },
    });
    expect(await pay(card, "100.00", "atm")).toMatchObject({ approved: true });
    expect(await pay(card, "0.01", "atm")).toMatchObject({ reason: "limit_atm_day" });
    moved.clock.advance(dayMs);
    expect(await pay(card, "100.00", "atm")).toMatchObject({ approved: true });
    moved.clock.advance(dayMs);
    expect(await pay(card, "50.01", "atm")).toMatchObject({ reason: "limit_atm_month" });
    expect(await pay(card, "300.00")).toMatchObject({ approved: true });
    expect(await pay(card, "0.01")).toMatchObject({ reason: "limit_week" });
    // Sunday, a minute before and at midnight in UTC+8.
    moved.clock.advance(Date.UTC(2026, 6, 5, 15, 59) - moved.clock.now());
    expect(await pay(card, "0.01")).toMatchObject({ reason: "limit_week" });
    moved.clock.advance(60_000);
    expect(await pay(card, "500.00")).toMatchObject({ approved: true });
  });
});

test("after all of it the ledger is whole and nothing failed on our side", async () => {
  expect(await programme.verify()).toMatchObject({ ok: true, broken: [] });
  expect(programme.errors).toEqual([]);
});
