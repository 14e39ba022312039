import { isDeepStrictEqual } from "node:util";
import { formatAmount } from "@cardwright/money";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  adviceWith,
  dayMs,
  openProgramme,
  type Programme,
  presentmentWith,
  purchaseWith,
  type ReadyCard,
} from "../support/programme.ts";
import { balanceOf, modes } from "./books.ts";

/**
 * Any messages about several purchases in any order: what the network settles, what the consumptions say and what the accounts show
 * must be the same to the cent, and the order of messages about different purchases must not matter.
 */
let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

const purchases = 3;
const of = fc.integer({ min: 0, max: purchases - 1 });
/** Cents, small and odd ones often: rounding hides there. */
const amount = fc.oneof(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 15_000 }), fc.constant(10_000));

type Step =
  | { readonly do: "authorize" | "advise"; readonly of: number; readonly amount: number }
  | { readonly do: "clear"; readonly of: number; readonly amount: number; readonly final: boolean }
  | { readonly do: "refund"; readonly of: number; readonly amount: number; readonly linked: boolean }
  | { readonly do: "repeat"; readonly nth: number }
  | { readonly do: "wait"; readonly days: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("authorize"), of, amount }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("advise"), of, amount }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("clear"), of, amount, final: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("refund"), of, amount, linked: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat"), nth: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait"), days: fc.integer({ min: 1, max: 8 }) }) },
);

const rates = {
  consume_rate: "0.0333",
  refund_rate: "0.011",
  small_consume_threshold: "5.00",
  small_consume_deduct: "0.30",
};
const costs = { consume_rate: "0.0107", refund_rate: "0.007" };

interface Stage {
  readonly card: ReadyCard;
  /** The network's reference of each purchase, also of one that never came. */
  readonly references: readonly string[];
  /** What the network has settled with us, cents: presented less refunded, without what is parked. */
  settled: bigint;
  /** Sends a message again: what it is answered, and what it should be. */
  readonly sent: (() => Promise<readonly [unknown, unknown]>)[];
}

async function setStage(mode: ReadyCard["mode"]): Promise<Stage> {
  const card = await programme.issueCard({ mode, rates, costs, credit: "100000.00", reserve: "100000.00" });
  const references = Array.from({ length: purchases }, () => purchaseWith(card, "1.00").networkReference);
  return { card, references, settled: 0n, sent: [] };
}

const text = (cents: number) => formatAmount(BigInt(cents), 2);

async function take(stage: Stage, each: Step): Promise<void> {
  const { card, sent } = stage;
  switch (each.do) {
    case "authorize": {
      const networkReference = stage.references[each.of] ?? "";
      const request = purchaseWith(card, text(each.amount), { networkReference });
      await programme.authorization.authorize(request);
      return;
    }
    case "advise": {
      const networkReference = stage.references[each.of] ?? "";
      const message = adviceWith(card, text(each.amount), { networkReference });
      await programme.clearing.advise(message);
      return;
    }
    case "clear":
    case "refund": {
      const isRefund = each.do === "refund";
      const linked = !isRefund || each.linked;
      const message = presentmentWith(card, text(each.amount), {
        originalReference: linked ? (stage.references[each.of] ?? "") : "",
        kind: isRefund ? "refund" : "purchase",
        final: each.do === "refund" || each.final,
      });
      const answer = await programme.clearing.clear(message);
      if (!answer.accepted) throw new Error(`a message was not taken: ${answer.effect}`);
      if (answer.effect !== "parked") stage.settled += isRefund ? -message.amount : message.amount;
      sent.push(async () => [await programme.clearing.clear(message), { ...answer, repeat: true }]);
      return;
    }
    case "repeat": {
      const [answer, expected] = (await sent[each.nth % Math.max(sent.length, 1)]?.()) ?? [null, null];
      if (!isDeepStrictEqual(answer, expected)) throw new Error(`a repeat was answered ${JSON.stringify(answer)}`);
      return;
    }
    case "wait":
      programme.clock.advance(each.days * dayMs);
      while ((await programme.clearing.releaseExpired()) > 0);
      return;
    default:
      throw new Error(`not a step: ${JSON.stringify(each satisfies never)}`);
  }
}

async function sums({ card }: Stage) {
  const { rows } = await programme.db.pool.query<{
    cleared: bigint;
    refunded: bigint;
    credit: bigint;
    reserve: bigint;
  }>(
    `SELECT coalesce(sum(cleared_amount) FILTER (WHERE type = 'Consumption'), 0)::bigint AS cleared,
       coalesce(sum(amount) FILTER (WHERE type = 'Refund'), 0)::bigint AS refunded,
       coalesce(sum(CASE type WHEN 'Refund' THEN -credit_booked ELSE credit_total END), 0)::bigint AS credit,
       coalesce(sum(CASE type WHEN 'Refund' THEN -reserve_booked ELSE reserve_total END), 0)::bigint AS reserve
     FROM consumption WHERE merchant_id = $1`,
    [card.merchantId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("no sums");
  return row;
}

for (const [mode, numRuns] of [
  [modes[0], 25],
  [modes[1], 15],
] as const) {
  test(`any order of messages about several purchases leaves exact sums and clean books (${mode})`, async () => {
    const history = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30, size: "max" }), async (steps) => {
      const stage = await setStage(mode);
      for (const each of steps) await take(stage, each);
      const { cleared, refunded, credit, reserve } = await sums(stage);
      expect(cleared - refunded).toBe(stage.settled);
      expect(await balanceOf(programme, stage.card, "settlement")).toBe(formatAmount(stage.settled, 2));
      const pots = await programme.pots(stage.card);
      const left = (start: bigint, taken: bigint) => formatAmount(start - taken, 2);
      expect(pots.reserve[0]).toBe(left(10_000_000n, reserve));
      expect(pots.credit[0]).toBe(mode === "AUTHORIZATION" ? "0.00" : left(10_000_000n, credit));
    });
    await fc.assert(history, { numRuns, interruptAfterTimeLimit: 40_000 });
    expect(await programme.verify()).toMatchObject({ ok: true, broken: [] });
    expect(programme.errors).toEqual([]);
  }, 60_000);
}

test("messages about different purchases come to the same end in any order", async () => {
  const script = (reference: string, card: ReadyCard, place: number) => [
    () => programme.authorization.authorize(purchaseWith(card, "50.00", { networkReference: reference })),
    () => programme.clearing.clear(presentmentWith(card, "20.01", { originalReference: reference, final: false })),
    () =>
      programme.clearing.clear(presentmentWith(card, text(3_000 + place * 1_337), { originalReference: reference })),
    () => programme.clearing.clear(presentmentWith(card, "7.77", { originalReference: reference, kind: "refund" })),
  ];
  const order = fc.shuffledSubarray(
    Array.from({ length: purchases * 4 }, (_, place) => place % purchases),
    { minLength: purchases * 4 },
  );
  const ends = new Set<string>();
  const anyOrder = fc.asyncProperty(order, async (turns) => {
    const stage = await setStage("CREDIT_EXTENSION");
    const scripts = stage.references.map((reference, place) => script(reference, stage.card, place));
    for (const turn of turns) await scripts[turn]?.shift()?.();
    ends.add(JSON.stringify(await programme.pots(stage.card)));
  });
  await fc.assert(anyOrder, { numRuns: 15, interruptAfterTimeLimit: 20_000 });
  expect(ends.size).toBe(1);
  expect(await programme.verify()).toMatchObject({ ok: true, broken: [] });
}, 60_000);
