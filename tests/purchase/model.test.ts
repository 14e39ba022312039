import { formatAmount } from "@cardwright/money";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limitPeriods } from "../../apps/server/src/authorization/index.ts";
import {
  answerNo,
  answerYes,
  dayMs,
  openProgramme,
  type Programme,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";

/**
 * Random histories of one merchant, played on the real rooms and on a model of a page: every answer must be the model's, and at
 * the end every balance. fast-check prints the seed and the shortest history when one differs.
 */
let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

type Mode = ReadyCard["mode"];

type Step =
  | { readonly do: "buy"; readonly card: number; readonly amount: number; readonly atm: boolean; readonly yes: boolean }
  | { readonly do: "repeat"; readonly nth: number }
  | { readonly do: "transfer"; readonly type: "In" | "Out"; readonly amount: number }
  | { readonly do: "freeze" | "thaw"; readonly card: number }
  | { readonly do: "wait"; readonly hours: number };

const card = fc.integer({ min: 0, max: 1 });
/** Three of four questions are answered with yes. */
const yes = fc.integer({ min: 0, max: 3 }).map((of4) => of4 > 0);
/** Cents, with the small and round ones often, because rounding and exact exhaustion hide there. */
const amount = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 35_000 }), fc.constant(10_000));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant("buy"), card, amount, atm: fc.boolean(), yes }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat"), nth: fc.nat() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("transfer"),
      type: fc.constantFrom("In", "In", "Out"),
      amount: fc.integer({ min: 1, max: 60_000 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("freeze", "thaw", "thaw"), card }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait"), hours: fc.integer({ min: 1, max: 120 }) }) },
);

const limits = { purchase: 30_000, week: 80_000, atmDay: 30_000, atmMonth: 60_000 };
const reserveAtStart = 80_000;

interface Hold {
  readonly credit: number;
  readonly reserve: number;
  readonly until: number;
}

interface Counters {
  frozen: boolean;
  week: readonly [number, number];
  day: readonly [number, number];
  month: readonly [number, number];
}

/** Half up, in cents. */
const percent = (cents: number, rate: number) => Math.floor((cents * rate + 50) / 100);

function createModel(mode: Mode) {
  let [credit, creditHeld, reserve, reserveHeld] = [0, 0, reserveAtStart, 0];
  let holds: Hold[] = [];
  const cards = [0, 1].map((): Counters => ({ frozen: false, week: [0, 0], day: [0, 0], month: [0, 0] }));
  const spentIn = ([period, spent]: readonly [number, number], now: number) => (period === now ? spent : 0);

  /** The reason of a decline, or "". */
  const buy = (purchase: Extract<Step, { do: "buy" }>, now: number): string => {
    const counters = cards[purchase.card];
    if (counters === undefined) throw new Error("no such card");
    const { amount: cents, atm } = purchase;
    const fee = cents === 0 ? 0 : atm ? Math.max(percent(cents, 2), 300) : percent(cents, 5);
    const cost = cents === 0 ? 0 : atm ? Math.max(percent(cents, 1), 100) : percent(cents, 1);
    const takes = { credit: mode === "CREDIT_EXTENSION" ? cents + fee : 0, reserve: cents + cost };
    const periods = limitPeriods(now, 480);
    const spent = {
      week: spentIn(counters.week, periods.week) + cents,
      day: spentIn(counters.day, periods.day) + cents,
      month: spentIn(counters.month, periods.month) + cents,
    };
    if (counters.frozen) return "card_frozen";
    if (cents > limits.purchase) return "limit_per_purchase";
    if (spent.week > limits.week) return "limit_week";
    if (atm && spent.day > limits.atmDay) return "limit_atm_day";
    if (atm && spent.month > limits.atmMonth) return "limit_atm_month";
    if (credit < takes.credit) return "insufficient_credit";
    if (reserve < takes.reserve) return "insufficient_reserve";
    if (mode === "AUTHORIZATION" && cents > 0 && !purchase.yes) return "merchant_declined";
    counters.week = [periods.week, spent.week];
    if (atm) {
      counters.day = [periods.day, spent.day];
      counters.month = [periods.month, spent.month];
    }
    credit -= takes.credit;
    creditHeld += takes.credit;
    reserve -= takes.reserve;
    reserveHeld += takes.reserve;
    if (cents > 0) holds.push({ ...takes, until: now + 7 * dayMs });
    giveBackLimit.push({ purchase, periods, until: now + 7 * dayMs });
    return "";
  };

  /** An expired hold gives its amount back to the limits, where the period it was counted in still lasts. */
  const giveBackLimit: {
    purchase: Extract<Step, { do: "buy" }>;
    periods: ReturnType<typeof limitPeriods>;
    until: number;
  }[] = [];
  const release = (now: number): void => {
    for (const hold of holds.filter(({ until }) => until <= now)) {
      credit += hold.credit;
      creditHeld -= hold.credit;
      reserve += hold.reserve;
      reserveHeld -= hold.reserve;
    }
    holds = holds.filter(({ until }) => until > now);
    for (const { purchase, periods } of giveBackLimit.filter(({ until }) => until <= now)) {
      const counters = cards[purchase.card];
      if (counters === undefined) continue;
      const less = ([period, spent]: readonly [number, number], of: number) =>
        [period, period === of ? spent - purchase.amount : spent] as const;
      counters.week = less(counters.week, periods.week);
      if (purchase.atm) {
        counters.day = less(counters.day, periods.day);
        counters.month = less(counters.month, periods.month);
      }
    }
    giveBackLimit.splice(0, giveBackLimit.length, ...giveBackLimit.filter(({ until }) => until > now));
  };

  return {
    buy,
    release,
    freeze: (at: number, frozen: boolean) => {
      const counters = cards[at];
      if (counters !== undefined) counters.frozen = frozen;
    },
    transfer: (type: "In" | "Out", cents: number): boolean => {
      const after = credit + (type === "In" ? cents : -cents);
      if (after < 0) return false;
      credit = after;
      return true;
    },
    pots: () => ({ credit: [credit, creditHeld].map(text), reserve: [reserve, reserveHeld].map(text) }),
  };
}

const text = (cents: number) => formatAmount(BigInt(cents), 2);

/** What a step came to, and what the model says it should. */
type Outcome = readonly [happened: unknown, expected: unknown];

interface Stage {
  readonly cards: readonly ReadyCard[];
  readonly first: ReadyCard;
  readonly model: ReturnType<typeof createModel>;
  readonly decided: { readonly request: ReturnType<typeof purchaseWith>; readonly answer: object }[];
}

async function setStage(mode: Mode): Promise<Stage> {
  const first = await programme.issueCard({
    mode,
    credit: "0.00",
    reserve: text(reserveAtStart),
    limits: {
      limit_balance: text(limits.purchase),
      limit_week_balance: text(limits.week),
      limit_atm_day_balance: text(limits.atmDay),
      limit_atm_month_balance: text(limits.atmMonth),
    },
  });
  return { first, cards: [first, await programme.anotherCard(first)], model: createModel(mode), decided: [] };
}

async function take(stage: Stage, each: Step, uniqueNo: string): Promise<Outcome> {
  switch (each.do) {
    case "buy":
      return buy(stage, each);
    case "repeat":
      return repeat(stage, each.nth);
    case "transfer":
      return transfer(stage, { ...each, uniqueNo });
    case "freeze":
    case "thaw": {
      const frozen = each.do === "freeze";
      stage.model.freeze(each.card, frozen);
      const changed = stage.cards[each.card] ?? stage.first;
      return [
        await programme.cards.requestStatus({ ...changed, to: frozen ? "Frozen" : "Activated" }),
        { ok: true, value: null },
      ];
    }
    case "wait":
      programme.clock.advance(each.hours * 3_600_000);
      stage.model.release(programme.clock.now());
      while ((await programme.authorization.releaseRunOut()) > 0);
      return [null, null];
    default:
      throw new Error(`not a step: ${JSON.stringify(each satisfies never)}`);
  }
}

async function buy(stage: Stage, each: Extract<Step, { do: "buy" }>): Promise<Outcome> {
  const buyer = stage.cards[each.card] ?? stage.first;
  const request = purchaseWith(buyer, text(each.amount), { kind: each.atm ? "atm" : "purchase" });
  programme.ask = async () => (each.yes ? answerYes : answerNo);
  const answer = await programme.authorization.authorize(request);
  stage.decided.push({ request, answer });
  return [answer.approved ? "" : answer.reason, stage.model.buy(each, programme.clock.now())];
}

async function repeat({ decided }: Stage, nth: number): Promise<Outcome> {
  const known = decided[nth % Math.max(decided.length, 1)];
  return known === undefined
    ? [null, null]
    : [await programme.authorization.authorize(known.request), { ...known.answer, repeat: true }];
}

async function transfer(
  { first, model }: Stage,
  each: Extract<Step, { do: "transfer" }> & { readonly uniqueNo: string },
): Promise<Outcome> {
  if (first.mode === "AUTHORIZATION") return [null, null];
  const { merchantId, cardholderNo } = first;
  const request = { merchantId, cardholderNo, transferUniqueNo: each.uniqueNo, type: each.type } as const;
  const moved = await programme.credit.transfer({ ...request, amount: BigInt(each.amount) });
  return [moved.ok, model.transfer(each.type, each.amount)];
}

for (const [mode, numRuns] of [
  ["CREDIT_EXTENSION", 25],
  ["AUTHORIZATION", 15],
] as const) {
  test(`any history of purchases, transfers, freezes and waiting goes as the model says (${mode})`, async () => {
    const history = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: "max" }), async (steps) => {
      const stage = await setStage(mode);
      for (const [place, each] of steps.entries()) {
        const [happened, expected] = await take(stage, each, `step-${place}`);
        expect(happened).toEqual(expected);
        expect(await programme.pots(stage.first)).toEqual(stage.model.pots());
      }
      for (const each of stage.cards) {
        const sequences = (await programme.pushes(each)).map(({ sequence }) => sequence);
        expect(sequences).toEqual(sequences.map((_, index) => index + 1));
      }
    });
    await fc.assert(history, { numRuns, interruptAfterTimeLimit: 40_000 });
    expect(await programme.verify()).toMatchObject({ ok: true, broken: [] });
    expect(programme.errors).toEqual([]);
  }, 60_000);
}
