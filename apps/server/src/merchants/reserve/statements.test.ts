import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { ReserveStatement } from "../index.ts";
import { dayAt, dayText, parseDay, startOfDay } from "./day.ts";
import { dayMs, jon, mia, openReserveStand, type ReserveStand, start, value } from "./stand.testing.ts";

let stand: ReserveStand;

beforeAll(async () => {
  stand = await openReserveStand();
});
afterAll(() => stand.db.drop());
beforeEach(() => stand.moveTo(start));

const startDay = dayAt(start, 0);
const minute = 60_000;

/** What the days say, in a form that is easy to compare. */
const told = (statement: ReserveStatement) => [
  dayText(statement.day),
  Object.fromEntries(Object.entries(statement.lines).map(([line, sum]) => [line, [sum.available, sum.held]])),
  [statement.closing.available, statement.closing.held],
];

test("each kind of movement has its line, and opening and lines make the closing", async () => {
  const { merchantId } = await stand.newMerchant();
  await stand.recharge(merchantId, 100_000n);
  const holds = [await stand.hold(merchantId, 5_200n), await stand.hold(merchantId, 3_000n)];
  await stand.clear({ merchantId, holdId: holds[0] ?? "", amount: 4_000n, cost: 150n });
  await stand.release(merchantId, holds[1] ?? "");
  await stand.move({ merchantId, kind: "refund", from: "settlement", amount: 1_000n });
  await stand.move({ merchantId, kind: "refund", to: "platform_income", amount: 10n });
  await stand.move({ merchantId, kind: "reversal", from: "settlement", amount: 500n });
  await stand.move({ merchantId, kind: "fee", to: "platform_income", amount: 25n });
  await stand.move({ merchantId, kind: "open_card", to: "platform_income", amount: 100n });
  await stand.move({ merchantId, kind: "bonus", to: "platform_income", amount: 7n });
  const out = { merchantId, amount: 20_000n, destination: "bank", reference: "w" };
  value(await stand.reserves.approveOrder(value(await stand.reserves.askWithdrawal(out, mia)), jon));
  const correction = { merchantId, amount: 300n, reason: "x", reference: "a" };
  const asked = await stand.reserves.askAdjustment({ ...correction, direction: "credit", category: "goodwill" }, mia);
  value(await stand.reserves.approveOrder(value(asked), jon));
  const [statement] = await stand.reserves.statements({ merchantId });
  expect(statement && told(statement)).toEqual([
    "2026-11-20",
    {
      recharges: [100_000n, 0n],
      purchases: [0n, -4_000n],
      costs: [-10n, -150n],
      refunds: [1_000n, 0n],
      reversals: [500n, 0n],
      fees: [-25n, 0n],
      opening_costs: [-100n, 0n],
      withdrawals: [-20_000n, 0n],
      adjustments: [300n, 0n],
      holds_placed: [-8_200n, 8_200n],
      holds_released: [4_050n, -4_050n],
      other: [-7n, 0n],
    },
    [77_508n, 0n],
  ]);
  expect(statement?.revision).toBe(0);
  expect(await stand.reserveOf(merchantId)).toMatchObject({ available: 77_508n, held: 0n });
});

test("a movement of the last millisecond belongs to its day, one of midnight to the next, in the merchant's time zone", async () => {
  for (const utcOffsetMinutes of [0, 480, -720, 840, 345]) {
    stand.moveTo(start);
    const { merchantId } = await stand.newMerchant({ utcOffsetMinutes });
    const midnight = startOfDay(dayAt(start, utcOffsetMinutes) + 1, utcOffsetMinutes);
    await stand.recharge(merchantId, 100n, midnight - 1);
    await stand.recharge(merchantId, 20n, midnight);
    await stand.recharge(merchantId, 3n, midnight + dayMs - 1);
    stand.moveTo(midnight + dayMs + minute);
    const list = await stand.reserves.statements({ merchantId });
    expect(list.map(({ closing, untilAt, revision }) => [closing.available, untilAt, revision])).toEqual([
      [100n, midnight, 1],
      [123n, midnight + dayMs, 1],
      [123n, midnight + 2 * dayMs, 0],
    ]);
  }
});

test("a day is closed once, some time after its end, and however many workers look", async () => {
  const { merchantId } = await stand.newMerchant();
  await stand.recharge(merchantId, 100n);
  const revisions = async () =>
    (await stand.reserves.statements({ merchantId, fromDay: startDay, toDay: startDay })).map((day) => day.revision);
  stand.moveTo(start + dayMs + minute - 1);
  expect(await revisions()).toEqual([0]);
  stand.moveTo(start + dayMs + minute);
  await Promise.all(Array.from({ length: 6 }, () => stand.reserves.closeFinishedDays()));
  expect(await revisions()).toEqual([1]);
  expect(await stand.reserves.closeFinishedDays()).toBe(0);
});

test("the worker catches up after thirteen months, in bounded steps, without a gap", async () => {
  const { merchantId } = await stand.newMerchant();
  for (const day of [0, 1, 40, 200, 394]) await stand.recharge(merchantId, 10n, start + day * dayMs);
  stand.moveTo(start + 396 * dayMs + minute);
  const rounds: number[] = [];
  for (let done = 1; done > 0; ) {
    done = await stand.reserves.closeFinishedDays();
    rounds.push(done);
  }
  // Other merchants of this file have days to close as well.
  expect(rounds.length).toBeGreaterThan(12);
  const list = await stand.reserves.statements({ merchantId, fromDay: startDay, toDay: startDay + 365 });
  expect(list).toHaveLength(366);
  expect(list.every((day) => day.revision === 1)).toBe(true);
  for (const [index, day] of list.slice(1).entries()) {
    expect([day.fromAt, day.opening]).toEqual([list[index]?.untilAt, list[index]?.closing]);
  }
  const [last] = await stand.reserves.statements({ merchantId, fromDay: startDay + 395, toDay: startDay + 395 });
  expect(last?.closing).toEqual({ available: 50n, held: 0n });
  expect(await stand.brokenRules()).toEqual([]);
});

test("what is committed after its day was closed is added to that day, and all later balances follow", async () => {
  const { merchantId } = await stand.newMerchant();
  await stand.recharge(merchantId, 100n);
  stand.moveTo(start + 50 * dayMs + minute);
  await stand.reserves.statements({ merchantId });
  // Fifty days late, and once more on the very day that was closed last.
  await stand.recharge(merchantId, 7n, start + 5);
  await stand.recharge(merchantId, 30n, start + 50 * dayMs - 1);
  const list = await stand.reserves.statements({ merchantId, fromDay: startDay, toDay: startDay + 50 });
  expect(list[0]?.closing.available).toBe(107n);
  expect(list[1]).toMatchObject({ opening: { available: 107n }, closing: { available: 107n }, lines: {} });
  expect(list[48]?.closing.available).toBe(107n);
  expect(list[49]).toMatchObject({ opening: { available: 107n }, closing: { available: 137n } });
  expect(list[50]).toMatchObject({ revision: 0, closing: { available: 137n } });
  expect(list.slice(0, 50).every(({ revision }) => revision > 1)).toBe(true);
  expect(await stand.reserves.statements({ merchantId, fromDay: startDay, toDay: startDay + 50 })).toEqual(list);
  expect(await stand.brokenRules()).toEqual([]);
  await stand.db.pool.query("UPDATE reserve_statement SET closing_held = 1 WHERE merchant_id = $1 AND day = $2", [
    merchantId,
    startDay + 7,
  ]);
  expect(await stand.brokenRules()).toMatchObject([{ rule: expect.stringContaining("a day of a reserve") }]);
  await stand.db.pool.query("UPDATE reserve_statement SET closing_held = 0 WHERE merchant_id = $1", [merchantId]);
});

test("a hold that was placed and released late is found although the balance does not tell", async () => {
  const { merchantId } = await stand.newMerchant();
  await stand.recharge(merchantId, 100n);
  stand.moveTo(start + dayMs + minute);
  await stand.reserves.statements({ merchantId });
  await stand.release(merchantId, await stand.hold(merchantId, 60n, start + dayMs - 1), start + dayMs - 1);
  const [day] = await stand.reserves.statements({ merchantId, fromDay: startDay, toDay: startDay });
  expect(day).toMatchObject({
    lines: { holds_placed: { available: -60n }, holds_released: { available: 60n } },
    revision: 2,
  });
});

test("late movements of different days that cancel each other out are found when the next day is closed", async () => {
  const { merchantId } = await stand.newMerchant();
  await stand.recharge(merchantId, 100n);
  stand.moveTo(start + 7 * dayMs + minute);
  await stand.reserves.statements({ merchantId });
  await stand.recharge(merchantId, 60n, start + dayMs);
  await stand.move({ merchantId, kind: "fee", to: "platform_income", amount: 60n, at: start + 4 * dayMs });
  stand.moveTo(start + 8 * dayMs + minute);
  const list = await stand.reserves.statements({ merchantId });
  expect(list.map(({ closing }) => closing.available)).toEqual([100n, 160n, 160n, 160n, 100n, 100n, 100n, 100n, 100n]);
  expect([list[1]?.lines.recharges?.available, list[4]?.lines.fees?.available]).toEqual([60n, -60n]);
  expect(await stand.brokenRules()).toEqual([]);
});

test("a transaction whose id says another time than its booking is in the day of its booking, once", async () => {
  const { merchantId } = await stand.newMerchant();
  const at = start + 20 * dayMs;
  stand.moveTo(at + minute);
  await stand.reserves.statements({ merchantId });
  for (const days of [-400, -15, -1, 0, 1, 400]) {
    await stand.move({ merchantId, kind: "recharge", from: "funding", amount: 10n, at, idAt: at + days * dayMs });
  }
  const told = async () => (await stand.reserves.statements({ merchantId })).map(({ closing }) => closing.available);
  expect(await told()).toEqual([...Array(20).fill(0n), 60n]);
  stand.moveTo(at + 2 * dayMs + minute);
  expect(await told()).toEqual([...Array(20).fill(0n), 60n, 60n, 60n]);
});

test("a change of the merchant's time zone makes a day longer or shorter and loses nothing", async () => {
  for (const [before, later] of [
    [0, 840],
    [840, -720],
    [-720, 840],
  ] as const) {
    stand.moveTo(start);
    const { merchantId } = await stand.newMerchant({ utcOffsetMinutes: before });
    for (let hour = 0; hour < 144; hour += 1) await stand.recharge(merchantId, 1n, start + hour * 60 * minute);
    stand.moveTo(start + 2 * dayMs + minute);
    await stand.reserves.statements({ merchantId });
    value(await stand.merchants.update({ merchantId, change: { utcOffsetMinutes: later } }, mia));
    stand.moveTo(start + 8 * dayMs);
    const list = await stand.reserves.statements({ merchantId });
    for (const [index, day] of list.slice(1).entries()) {
      expect([day.fromAt, day.opening, day.day]).toEqual([
        list[index]?.untilAt,
        list[index]?.closing,
        (list[index]?.day ?? 0) + 1,
      ]);
    }
    expect(list.at(-1)?.closing.available).toBe(144n);
    expect(list.reduce((sum, { lines }) => sum + (lines.recharges?.postings ?? 0n), 0n)).toBe(144n);
  }
});

test("there is no statement before the first day, after the present one, or of a merchant that does not exist", async () => {
  const { merchantId } = await stand.newMerchant();
  stand.moveTo(start + dayMs);
  expect(await stand.reserves.statements({ merchantId, fromDay: startDay - 1, toDay: startDay - 1 })).toEqual([]);
  expect(await stand.reserves.statements({ merchantId, fromDay: startDay + 2, toDay: startDay + 9 })).toEqual([]);
  expect(await stand.reserves.statements({ merchantId: 2_000_000_000 })).toEqual([]);
});

test("a date of the calendar is read as its day, anything else is none", () => {
  expect([parseDay("1970-01-01"), parseDay("2028-02-29")]).toEqual([0, dayAt(Date.UTC(2028, 1, 29), 0)]);
  expect(["2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "", "2026-01-01T00"].map(parseDay)).toEqual(
    Array(6).fill(null),
  );
});

/** Random movements over several days, crowded around midnight, with the worker and late commits in between. */
const step = fc.record({
  what: fc.constantFrom("recharge", "hold", "clear", "part", "release", "fee", "refund", "close", "late"),
  amount: fc.bigInt({ min: 1n, max: 5_000n }),
  /** How far the clock moves before it. */
  pauseMs: fc.constantFrom(0, 1, 999, 3_600_000, dayMs / 2 - 1, dayMs / 2, dayMs, 2 * dayMs),
});

test("statements equal the ledger, whatever moved when and whenever the days were closed", {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 25 }),
      fc.constantFrom(0, 480, -210),
      async (steps, utcOffsetMinutes) => {
        let now = start;
        stand.moveTo(now);
        const { merchantId } = await stand.newMerchant({ utcOffsetMinutes });
        const holds: string[] = [];
        for (const { what, amount, pauseMs } of steps) {
          now += pauseMs;
          stand.moveTo(now);
          const holdId = holds.at(-1);
          if (what === "recharge") await stand.recharge(merchantId, amount);
          if (what === "late") await stand.recharge(merchantId, amount, Math.max(start, now - 3 * dayMs));
          if (what === "hold" && (await stand.reserveOf(merchantId)).available >= amount) {
            holds.push(await stand.hold(merchantId, amount));
          }
          if (what === "part") await stand.clear({ merchantId, holdId: holdId ?? null, amount, cost: 3n, keep: true });
          if (what === "clear") await stand.clear({ merchantId, holdId: holds.pop() ?? null, amount });
          if (what === "release" && holdId !== undefined) await stand.release(merchantId, holds.pop() ?? "");
          if (what === "fee" && (await stand.reserveOf(merchantId)).available >= amount) {
            await stand.move({ merchantId, kind: "fee", to: "platform_income", amount });
          }
          if (what === "refund") await stand.move({ merchantId, kind: "refund", from: "settlement", amount });
          if (what === "close") await stand.reserves.closeFinishedDays();
        }
        const list = await stand.reserves.statements({ merchantId, fromDay: startDay - 1 });
        let previous = { untilAt: 0, closing: { available: 0n, held: 0n } };
        for (const day of list) {
          expect([day.fromAt, day.opening]).toEqual([previous.untilAt, previous.closing]);
          expect(sumOf(day)).toEqual(await ledgerFold({ merchantId, fromAt: day.fromAt, untilAt: day.untilAt }));
          expect(day.untilAt).toBe(startOfDay(day.day + 1, utcOffsetMinutes));
          previous = day;
        }
        expect(dayAt(now, utcOffsetMinutes)).toBe(list.at(-1)?.day);
        const { available, held } = await stand.reserveOf(merchantId);
        expect(previous.closing).toEqual({ available, held });
      },
    ),
    { numRuns: 40 },
  );
});

function sumOf({ opening, lines, closing }: ReserveStatement) {
  const sums = Object.values(lines);
  const total = {
    postings: sums.reduce((sum, { postings }) => sum + postings, 0n),
    available: sums.reduce((sum, { available }) => sum + available, 0n),
    held: sums.reduce((sum, { held }) => sum + held, 0n),
  };
  expect(closing).toEqual({ available: opening.available + total.available, held: opening.held + total.held });
  return total;
}

/** By the booking time alone, in the plainest way. */
async function ledgerFold(period: { readonly merchantId: number; readonly fromAt: number; readonly untilAt: number }) {
  const { rows } = await stand.db.pool.query(
    `WITH side AS (
       SELECT transaction_id, line, source_account_id AS account_id, source_held AS is_held, -amount AS amount FROM ledger.posting WHERE merchant_id = $1
       UNION ALL
       SELECT transaction_id, line, destination_account_id, destination_held, amount FROM ledger.posting WHERE merchant_id = $1
     )
     SELECT count(DISTINCT (s.transaction_id, s.line)) AS postings,
            coalesce(sum(s.amount) FILTER (WHERE NOT s.is_held), 0)::bigint AS available,
            coalesce(sum(s.amount) FILTER (WHERE s.is_held), 0)::bigint AS held
     FROM side s JOIN ledger.transaction t ON t.merchant_id = $1 AND t.transaction_id = s.transaction_id
     WHERE s.account_id = $2 AND t.created_at >= $3 AND t.created_at < $4`,
    [period.merchantId, await stand.idOf(period.merchantId, "reserve"), period.fromAt, period.untilAt],
  );
  return rows[0];
}
