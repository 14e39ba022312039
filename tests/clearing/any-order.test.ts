import { isDeepStrictEqual } from "node:util";
import { formatAmount } from "@cardwright/money";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { MessageAnswer } from "../../apps/server/src/clearing/index.ts";
import {
  adviceWith,
  dayMs,
  openProgramme,
  type Programme,
  presentmentWith,
  purchaseWith,
  type ReadyCard,
  reversalOf,
} from "../support/programme.ts";
import { balanceOf, mustBeClean, reversed } from "./books.ts";

/**
 * Any messages about several purchases in any order: what the network settles, what the consumptions say and what the accounts show
 * must be the same to the cent, and the order of messages about different purchases must not matter. A failure prints its seed.
 */
let programme: Programme;

beforeAll(async () => {
  programme = await openProgramme();
});

afterAll(() => programme.close());

/** Runs end after that, also on a slow machine; then fewer histories have been tried. */
const propertyMsMax = 4_500;
const testMsMax = 60_000;

const purchases = 3;
const of = fc.integer({ min: 0, max: purchases - 1 });
/** Cents, small and odd ones often: rounding hides there. */
const amount = fc.oneof(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 1, max: 15_000 }), fc.constant(10_000));

type Step =
  | { readonly do: "authorize" | "increment" | "advise"; readonly of: number; readonly amount: number }
  | { readonly do: "clear"; readonly of: number; readonly amount: number; readonly final: boolean }
  | { readonly do: "refund"; readonly of: number; readonly amount: number; readonly linked: boolean }
  /** Of a purchase; or (`nth`) of a clearing or refund by its own reference. */
  | { readonly do: "reverse"; readonly of: number; readonly amount: number | null; readonly nth: number | null }
  | { readonly do: "repeat"; readonly nth: number }
  | { readonly do: "charge" }
  | { readonly do: "wait"; readonly days: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("authorize"), of, amount }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("increment"), of, amount }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("advise"), of, amount }) },
  { weight: 7, arbitrary: fc.record({ do: fc.constant("clear"), of, amount, final: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("refund"), of, amount, linked: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("reverse"),
      of,
      amount: fc.option(amount),
      nth: fc.option(fc.nat(), { freq: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("repeat"), nth: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("charge") }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("wait"), days: fc.integer({ min: 1, max: 8 }) }) },
);

const wishes = {
  rates: {
    consume_rate: "0.0333",
    refund_rate: "0.011",
    small_consume_threshold: "5.00",
    small_consume_deduct: "0.30",
    decline_fee: "0.17",
    consume_cancle_fee: "0.13",
  },
  costs: { consume_rate: "0.0107", refund_rate: "0.007", decline_fee: "0.05", consume_cancle_fee: "0.03" },
  // Some are declined, and pay for that.
  limits: { limit_balance: "120.00" },
} as const;
const reserveAtStart = 10_000_000n;
const bonusAtStart = 4_000n;

/** Who pays, and from how much. */
interface Purse {
  readonly mode: ReadyCard["mode"];
  readonly credit: bigint;
  /** What becomes of a clearing that the account does not cover. */
  readonly shortfallPolicy: "overdraw" | "absorb";
}
const rich: Purse = { mode: "CREDIT_EXTENSION", credit: 10_000_000n, shortfallPolicy: "overdraw" };
const purses: Readonly<Record<string, Purse>> = {
  "credit mode": rich,
  "authorization mode": { ...rich, mode: "AUTHORIZATION" },
  "credit mode, an account that soon is empty": { ...rich, credit: 15_000n },
  "credit mode, an account that soon is empty and a merchant that bears the rest": {
    ...rich,
    credit: 15_000n,
    shortfallPolicy: "absorb",
  },
};

interface Stage {
  readonly purse: Purse;
  readonly card: ReadyCard;
  /** The network's reference of each purchase, also of one that never came. */
  readonly references: readonly string[];
  /** What the network has settled with us, cents, as the consumptions tell it: presented less refunded, without what is parked. */
  settled: bigint;
  /** Messages that can be reversed by their own reference. */
  readonly presented: string[];
  /** Sends a message again: what it is answered, and what it should be. */
  readonly sent: (() => Promise<readonly [unknown, unknown]>)[];
}

async function setStage(purse: Purse): Promise<Stage> {
  const { mode, shortfallPolicy } = purse;
  const credit = formatAmount(purse.credit, 2);
  const card = await programme.issueCard({ mode, ...wishes, credit, reserve: formatAmount(reserveAtStart, 2) });
  await programme.merchants.update({ merchantId: card.merchantId, change: { shortfallPolicy } }, { actor: "operator" });
  if (mode === "CREDIT_EXTENSION") {
    const gift = { ...card, type: "In", reference: "gift", reason: "Gift", amount: bonusAtStart } as const;
    await programme.credit.grantBonus(gift, { actor: "operator" });
  }
  const references = Array.from({ length: purchases }, () => purchaseWith(card, "1.00").networkReference);
  return { purse, card, references, settled: 0n, presented: [], sent: [] };
}

const text = (cents: number) => formatAmount(BigInt(cents), 2);

/** Sends a message, and remembers to send it again. */
async function send(stage: Stage, message: () => Promise<MessageAnswer>): Promise<MessageAnswer> {
  const answer = await message();
  if (!answer.accepted) throw new Error(`a message was not taken: ${answer.effect}`);
  stage.sent.push(async () => [await message(), { ...answer, repeat: true }]);
  return answer;
}

async function authorize(stage: Stage, request: ReturnType<typeof purchaseWith>): Promise<void> {
  const authorizing = () => programme.authorization.authorize(request);
  const answer = await authorizing();
  // The network's references are its own: here one purchase is authorized anew with another amount, which is no repeat.
  if (answer.approved || answer.reason !== "duplicate") {
    stage.sent.push(async () => [await authorizing(), { ...answer, repeat: true }]);
  }
}

async function take(stage: Stage, each: Step): Promise<void> {
  const { card, sent, references, presented } = stage;
  switch (each.do) {
    case "authorize":
      return authorize(stage, purchaseWith(card, text(each.amount), { networkReference: references[each.of] ?? "" }));
    case "increment":
      return authorize(stage, purchaseWith(card, text(each.amount), { incrementOf: references[each.of] ?? "" }));
    case "advise": {
      const message = adviceWith(card, text(each.amount), { networkReference: references[each.of] ?? "" });
      // Another one with this reference is a duplicate.
      await programme.clearing.advise(message);
      return;
    }
    case "clear":
    case "refund": {
      const isRefund = each.do === "refund";
      const message = presentmentWith(card, text(each.amount), {
        originalReference: !isRefund || each.linked ? (references[each.of] ?? "") : "",
        kind: isRefund ? "refund" : "purchase",
        final: each.do === "refund" || each.final,
      });
      const { effect } = await send(stage, () => programme.clearing.clear(message));
      if (effect !== "parked") stage.settled += isRefund ? -message.amount : message.amount;
      presented.push(message.networkReference);
      return;
    }
    case "reverse": {
      const own = each.nth === null ? undefined : presented[each.nth % Math.max(presented.length, 1)];
      const reference = own ?? references[each.of] ?? "";
      const message = reversalOf(card, reference, { amount: each.amount === null ? null : text(each.amount) });
      await send(stage, () => reversed(programme, message));
      return;
    }
    case "repeat": {
      const [answer, expected] = (await sent[each.nth % Math.max(sent.length, 1)]?.()) ?? [null, null];
      if (!isDeepStrictEqual(answer, expected)) {
        throw new Error(`a repeat was answered ${JSON.stringify(answer)} instead of ${JSON.stringify(expected)}`);
      }
      return;
    }
    case "charge":
      while ((await programme.clearing.chargeDueFees()) > 0);
      return;
    case "wait":
      programme.clock.advance(each.days * dayMs);
      while ((await programme.clearing.releaseExpired()) > 0);
      return;
    default:
      throw new Error(`not a step: ${JSON.stringify(each satisfies never)}`);
  }
}

/** What the consumptions of a card say, minor units. */
async function told({ card }: Stage) {
  const { rows } = await programme.db.pool.query<{ settled: bigint; credit: bigint; reserve: bigint }>(
    `WITH c AS (
       SELECT p.*, coalesce(o.type, '') AS of_type FROM consumption p
       LEFT JOIN consumption o ON o.merchant_id = p.merchant_id AND o.consume_no = p.consume_relate_no
       WHERE p.merchant_id = $1)
     SELECT coalesce(sum(CASE WHEN type = 'Consumption' THEN cleared_amount
                              WHEN type = 'Refund' AND status = 'Success' THEN -amount
                              WHEN type = 'Reversal' AND reserve_booked > 0 THEN CASE of_type WHEN 'Refund' THEN amount ELSE -amount END
                              ELSE 0 END), 0)::bigint AS settled,
       coalesce(sum(CASE WHEN type = 'Refund' THEN -credit_booked
                         WHEN type = 'Reversal' THEN CASE of_type WHEN 'Refund' THEN credit_booked ELSE -credit_booked END
                         ELSE credit_total END), 0)::bigint AS credit,
       coalesce(sum(CASE WHEN type = 'Refund' THEN -reserve_booked
                         WHEN type = 'Reversal' THEN CASE of_type WHEN 'Refund' THEN reserve_booked ELSE -reserve_booked END
                         ELSE reserve_total END), 0)::bigint AS reserve
     FROM c`,
    [card.merchantId],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("no sums");
  return row;
}

/** What the network was told to settle, in the messages themselves; a refund that is parked is settled, but not booked. */
async function messaged({ card }: Stage): Promise<bigint> {
  const { rows } = await programme.db.pool.query<{ settled: bigint }>(
    "SELECT coalesce(sum(settled_amount), 0)::bigint AS settled FROM network_message WHERE merchant_id = $1 AND effect <> 'parked'",
    [card.merchantId],
  );
  return rows[0]?.settled ?? 0n;
}

/** All accounts of a merchant sum to zero in each currency: nothing was made and nothing was lost. */
async function balances({ card }: Stage): Promise<unknown[]> {
  const { rows } = await programme.db.pool.query<{ currency: string; sum: bigint }>(
    `SELECT currency, sum(available + held)::bigint AS sum FROM ledger.account WHERE merchant_id = $1 GROUP BY currency
     HAVING sum(available + held) <> 0`,
    [card.merchantId],
  );
  return rows;
}

async function mustAddUp(stage: Stage): Promise<void> {
  const { settled, credit, reserve } = await told(stage);
  expect(await balances(stage)).toEqual([]);
  expect(await messaged(stage)).toBe(settled);
  expect(await balanceOf(programme, stage.card, "settlement")).toBe(formatAmount(settled, 2));
  const pots = await programme.pots(stage.card);
  expect(pots.reserve[0]).toBe(formatAmount(reserveAtStart - reserve, 2));
  const { bonus = null } = (await programme.credit.accountsOf(stage.card)) ?? {};
  const repaid = stage.card.mode === "AUTHORIZATION" ? 0n : bonusAtStart - (bonus?.available ?? 0n);
  expect(pots.credit[0]).toBe(
    stage.card.mode === "AUTHORIZATION" ? "0.00" : formatAmount(stage.purse.credit - credit + repaid, 2),
  );
}

for (const [name, purse] of Object.entries(purses)) {
  test(
    `any order of messages about several purchases leaves exact sums and clean books (${name})`,
    async () => {
      const history = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30, size: "max" }), async (steps) => {
        const stage = await setStage(purse);
        for (const each of steps) await take(stage, each);
        await mustAddUp(stage);
      });
      await fc.assert(history, { numRuns: 15, interruptAfterTimeLimit: propertyMsMax, endOnFailure: true });
      expect(await programme.verify()).toMatchObject({ ok: true, broken: [] });
      expect(programme.errors).toEqual([]);
    },
    testMsMax,
  );
}

test(
  "messages about different purchases come to the same end in any order",
  async () => {
    const turnsOfEach = 7;
    const script = (stage: Stage, reference: string, place: number): Step[] => {
      const purchase = stage.references.indexOf(reference);
      return [
        { do: "authorize", of: purchase, amount: 5_000 },
        { do: "increment", of: purchase, amount: 1_111 },
        { do: "clear", of: purchase, amount: 2_001, final: false },
        { do: "reverse", of: purchase, amount: 1_313, nth: null },
        { do: "clear", of: purchase, amount: 2_000 + place * 1_337, final: true },
        { do: "refund", of: purchase, amount: 777, linked: true },
        { do: "reverse", of: purchase, amount: place === 1 ? null : 999, nth: null },
      ];
    };
    const order = fc.shuffledSubarray(
      Array.from({ length: purchases * turnsOfEach }, (_, place) => place % purchases),
      { minLength: purchases * turnsOfEach },
    );
    const ends = new Set<string>();
    const anyOrder = fc.asyncProperty(order, async (turns) => {
      const stage = await setStage(rich);
      const scripts = stage.references.map((reference, place) => script(stage, reference, place));
      for (const turn of turns) {
        const next = scripts[turn]?.shift();
        if (next !== undefined) await take(stage, next);
      }
      await mustAddUp(stage);
      const { rows } = await programme.db.pool.query<{
        type: string;
        status: string;
        remark: string;
        amount: bigint;
        fee: bigint;
      }>(
        "SELECT type, status, remark, amount, fee FROM consumption WHERE merchant_id = $1 ORDER BY type, status, remark, amount, fee",
        [stage.card.merchantId],
      );
      const said = rows.map(({ type, status, remark, amount: of, fee }) => `${type} ${status} ${remark} ${of} ${fee}`);
      ends.add(JSON.stringify([await programme.pots(stage.card), said]));
    });
    await fc.assert(anyOrder, { numRuns: 10, interruptAfterTimeLimit: propertyMsMax, endOnFailure: true });
    expect([...ends]).toHaveLength(1);
    await mustBeClean(programme);
  },
  testMsMax,
);
