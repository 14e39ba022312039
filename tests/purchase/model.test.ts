import { formatAmount } from "@cardwright/money";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createModel, type Model, type ModelPot } from "../support/model.ts";
import {
  answerNo,
  answerYes,
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

const text = (cents: number) => formatAmount(BigInt(cents), 2);
const shown = (pot: ModelPot) => pot.map(text);

/** What a step came to, and what the model says it should. */
type Outcome = readonly [happened: unknown, expected: unknown];

interface Stage {
  readonly cards: readonly ReadyCard[];
  readonly first: ReadyCard;
  readonly model: Model;
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
  const model = createModel({ mode, limits, reserve: reserveAtStart, standIn: null });
  // No history lasts as long as a card is good.
  for (const _ of [0, 1]) model.addCard({ expiresAt: Number.POSITIVE_INFINITY });
  return { first, cards: [first, await programme.anotherCard(first)], model, decided: [] };
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
      stage.model.setStatus(each.card, frozen ? "Frozen" : "Activated");
      const changed = stage.cards[each.card] ?? stage.first;
      return [
        await programme.cards.requestStatus({ ...changed, to: frozen ? "Frozen" : "Activated" }),
        { ok: true, value: null },
      ];
    }
    case "wait":
      programme.clock.advance(each.hours * 3_600_000);
      stage.model.release(programme.clock.now());
      while ((await programme.clearing.releaseExpired()) > 0);
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
  const purchase = { ...each, answer: each.yes ? "yes" : "no", partialAllowed: false, wrongCvv: false } as const;
  const verdict = stage.model.buy(purchase, programme.clock.now());
  return [answer.approved ? "" : answer.reason, verdict.approved ? "" : verdict.reason];
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
        const { credit, reserve } = stage.model.pots();
        expect(await programme.pots(stage.first)).toEqual({ credit: shown(credit), reserve: shown(reserve) });
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
