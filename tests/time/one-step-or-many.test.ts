import { expect, test } from "vitest";
import { dayMs, purchaseWith, type ReadyCard } from "../support/programme.ts";
import { type Books, booksOf } from "./books.ts";
import { type MovedProgramme, openMovedProgramme } from "./moved-programme.ts";

const hourMs = 3_600_000;
const thirteenMonthsMs = Date.UTC(2027, 5, 22) - Date.UTC(2026, 4, 22);

interface Cast {
  readonly rich: ReadyCard;
  readonly poor: ReadyCard;
  readonly poorsSecond: ReadyCard;
  readonly own: ReadyCard;
  readonly ownShort: ReadyCard;
  readonly expiring: ReadyCard;
}

/** Both modes, both sides, months and years, waivers, cards that cannot pay and one that expires. */
async function issueCards(programme: MovedProgramme): Promise<Cast> {
  const monthly = { consume_rate: "0.05", manage_fee_type: "Month", manage_fee: "2.00" } as const;
  const waivedBySpending = { management_fee_free_type: "Amount", free_management_fee_threshold: "50.00" } as const;
  const rich = await programme.issueCard({
    rates: { ...monthly, ...waivedBySpending },
    costs: { consume_rate: "0.01", manage_fee_type: "Year", manage_fee: "12.00" },
  });
  const poor = await programme.issueCard({
    rates: monthly,
    credit: "7.50",
    costs: { manage_fee_type: "Month", manage_fee: "0.10" },
  });
  const poorsSecond = await programme.anotherCard(poor);
  const own = await programme.issueCard({
    mode: "AUTHORIZATION",
    costs: { ...monthly, management_fee_free_type: "Count", free_management_fee_threshold: "1" },
  });
  const ownShort = await programme.issueCard({ mode: "AUTHORIZATION", costs: monthly, reserve: "5.00" });
  const expiring = await programme.issueCard({ rates: monthly, validMonths: 5 });
  await programme.cards.requestStatus({ merchantId: own.merchantId, cardNo: own.cardNo, to: "Activated" });
  return { rich, poor, poorsSecond, own, ownShort, expiring };
}

async function buy(programme: MovedProgramme, card: ReadyCard, amount: string): Promise<void> {
  await programme.authorization.authorize(purchaseWith(card, amount));
}

/** What people do, each at its hour after the start; between them only time passes. */
const story: readonly (readonly [
  afterHours: number,
  act: (programme: MovedProgramme, cast: Cast) => Promise<unknown>,
])[] = [
  [1, (programme, { rich }) => buy(programme, rich, "60.00")],
  [24 * 29, (programme, { rich }) => buy(programme, rich, "55.00")],
  [24 * 29 + 3, (programme, { own }) => buy(programme, own, "10.00")],
  [24 * 31, (programme, { poor }) => buy(programme, poor, "1.00")],
  [24 * 45, (programme, { poor }) => programme.grant(poor, "3.00")],
  [24 * 59 + 11, (programme, { ownShort }) => programme.recharge(ownShort.merchantId, "3.00")],
  [
    24 * 90,
    (programme, { own }) =>
      programme.cards.requestStatus({ merchantId: own.merchantId, cardNo: own.cardNo, to: "Frozen" }),
  ],
  [24 * 91, (programme, { expiring }) => buy(programme, expiring, "20.00")],
  [24 * 100, (programme, { rich }) => buy(programme, rich, "500.00")],
];

type Pass = (programme: MovedProgramme, ms: number) => Promise<unknown>;

const inOneStep: Pass = (programme, ms) => programme.move(ms);

async function inSteps(
  programme: MovedProgramme,
  { ms, stepMs }: { readonly ms: number; readonly stepMs: number },
): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs) {
    await programme.move(Math.min(left, stepMs));
  }
}

async function live(pass: Pass, acts: typeof story): Promise<Books> {
  const programme = await openMovedProgramme();
  const cast = await issueCards(programme);
  let passedMs = 0;
  for (const [afterHours, act] of acts) {
    await pass(programme, afterHours * hourMs - passedMs);
    passedMs = afterHours * hourMs;
    await act(programme, cast);
  }
  await pass(programme, thirteenMonthsMs - passedMs);
  expect(await programme.verify()).toMatchObject({ ok: true, openHolds: 0 });
  const books = await booksOf(programme.db.pool);
  await programme.close();
  return books;
}

test("thirteen months in one step give the same ledger as day by day", { timeout: 240_000 }, async () => {
  const only = story.slice(0, 1);
  const once = await live(inOneStep, only);
  const daily = await live((programme, ms) => inSteps(programme, { ms, stepMs: dayMs }), only);
  expect(once).toEqual(daily);
  // The story must be one in which time does something of each kind.
  expect(once.consumptions.filter((line) => line.includes("expired"))).toHaveLength(1);
  expect(once.charges.filter((line) => line.includes("failed")).length).toBeGreaterThan(2);
  expect(once.cards.filter((line) => line.includes("Delete")).length).toBeGreaterThan(1);
});

test("a year full of purchases, top-ups and a freeze comes out the same however time is passed", {
  timeout: 240_000,
}, async () => {
  const once = await live(inOneStep, story);
  const uneven = await live((programme, ms) => inSteps(programme, { ms, stepMs: 5 * dayMs + 7 * hourMs + 1 }), story);
  expect(once).toEqual(uneven);
  expect(once.charges.filter((line) => line.includes("waived")).length).toBeGreaterThan(1);
  expect(once.charges.filter((line) => / tries 2 /u.test(line) && line.includes("taken")).length).toBeGreaterThan(0);
  expect(once.consumptions.filter((line) => line.includes("expired")).length).toBeGreaterThan(3);
});
