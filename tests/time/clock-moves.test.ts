import { afterEach, beforeEach, expect, test } from "vitest";
import { runDueInOrder, type ScheduledWork } from "../../apps/server/src/kernel/index.ts";
import { scheduledWork } from "../../apps/server/src/scheduled-work.ts";
import { dayMs, purchaseWith, startOfTest } from "../support/programme.ts";
import { booksOf } from "./books.ts";
import { type MovedProgramme, openMovedProgramme } from "./moved-programme.ts";

const always = (): boolean => true;
const monthly = { manage_fee_type: "Month", manage_fee: "2.00" } as const;

let programme: MovedProgramme;

beforeEach(async () => {
  programme = await openMovedProgramme();
});

afterEach(() => programme.close());

/** Work at certain moments; it writes down when it ran. */
function workAt(moments: readonly number[], ran: number[]): ScheduledWork {
  let left = [...moments];
  return {
    name: "alarms",
    nextDueAt: async (after) => left.find((at) => at > after) ?? null,
    runDue: async (until) => {
      const due = left.filter((at) => at <= until);
      left = left.filter((at) => at > until);
      ran.push(...due.map(() => programme.clock.now()));
      return due.length;
    },
  };
}

test("the clock stops at every moment at which something is due, and each thing is done at its own time", async () => {
  const moments = [1_000, 1_001, dayMs, dayMs, 30 * dayMs].map((after) => startOfTest + after);
  const ran: number[] = [];
  const moved = await programme.move(30 * dayMs, { work: [workAt([...moments, startOfTest + 31 * dayMs], ran)] });
  expect(ran).toEqual(moments);
  expect(moved).toEqual({ now: startOfTest + 30 * dayMs, steps: 4, ran: { alarms: 5 }, finished: true });
});

test("a hold that runs out at the very moment of a management fee gives its money back before the fee is taken", async () => {
  const card = await programme.issueCard({ rates: monthly, credit: "12.00" });
  // Midnight of 15 June, a week before the second period.
  await programme.move(23.5 * dayMs);
  expect(await programme.authorization.authorize(purchaseWith(card, "9.50"))).toMatchObject({ approved: true });
  const moved = await programme.move(8 * dayMs);
  expect(moved).toMatchObject({ ran: { holds: 1, "management fees": 1 }, finished: true });
  const { charges } = await booksOf(programme.db.pool);
  expect(charges.map((line) => line.split(" at ")[0])).toEqual([
    "c1 cardholder 0 taken 200 tries 1",
    "c1 cardholder 1 taken 200 tries 1",
  ]);
});

test("two moves at once in two processes follow one another, and nothing is done twice", async () => {
  const card = await programme.issueCard({ rates: monthly });
  const other = await programme.follower();
  await Promise.all([programme.move(60 * dayMs), other.move(60 * dayMs), programme.move(60 * dayMs)]);
  // The other process may have moved last, and this one reads the offset every 200 ms.
  await expect.poll(() => programme.clock.now()).toBe(startOfTest + 180 * dayMs);
  const { charges } = await booksOf(programme.db.pool);
  expect(charges).toHaveLength(6);
  expect((await programme.pots(card)).credit[0]).toBe("988.00");
});

test("workers that run beside a move, with a clock that lags behind, neither miss nor double anything", async () => {
  const card = await programme.issueCard({ rates: monthly, costs: monthly });
  for (let count = 0; count < 3; count += 1) {
    await programme.anotherCard(card);
    await programme.authorization.authorize(purchaseWith(card, "1.00"));
  }
  const lagging = await programme.follower();
  const state = { moving: true };
  const worker = (async () => {
    while (state.moving) {
      await programme.management.runDue(lagging.clock.now(), always);
      await programme.clearing.releaseExpired(lagging.clock.now());
    }
  })();
  expect(await programme.move(100 * dayMs)).toMatchObject({ finished: true });
  state.moving = false;
  await worker;
  const { charges, openHolds } = await booksOf(programme.db.pool);
  // 4 cards, 2 sides, 4 periods.
  expect([charges.length, openHolds.length]).toEqual([32, 0]);
  expect(charges.every((line) => line.includes("taken 200 tries 1"))).toBe(true);
  expect(await programme.verify()).toMatchObject({ ok: true });
});

test("a move that reaches its bound brings the clock to its end and says that the rest is left, which then catches up in order", async () => {
  await programme.issueCard({ rates: monthly });
  const bounded = await programme.move(100 * dayMs, { bounds: { moveMsMax: 0 } });
  expect(bounded).toEqual({ now: startOfTest + 100 * dayMs, steps: 1, ran: {}, finished: false });
  expect((await booksOf(programme.db.pool)).charges).toHaveLength(0);
  expect(await programme.move(1)).toMatchObject({ ran: { "management fees": 4 }, finished: true });
});

test("a worker that comes back after three months ends holds and takes fees in the order in which they were due", async () => {
  const card = await programme.issueCard({ rates: monthly, credit: "12.00" });
  await programme.move(20 * dayMs);
  expect(await programme.authorization.authorize(purchaseWith(card, "9.50"))).toMatchObject({ approved: true });
  await programme.standStill(92 * dayMs);
  const work = scheduledWork(programme);
  const run = await runDueInOrder(work, { until: programme.clock.now(), mayGoOn: always });
  expect([...run.ran]).toEqual([
    ["holds", 1],
    ["management fees", 3],
  ]);
  const { charges } = await booksOf(programme.db.pool);
  const midnights = [5, 6, 7].map((month) => Date.UTC(2026, month, 22) - 8 * 3_600_000);
  expect(charges.map((line) => line.replace(/^c1 cardholder /u, ""))).toEqual([
    `0 taken 200 tries 1 at ${startOfTest}`,
    ...midnights.map((at, before) => `${before + 1} taken 200 tries 1 at ${at}`),
  ]);
});

test("work that takes too much real time is left out when its share is used up, and the rest goes on in its steps", async () => {
  await programme.issueCard({ rates: monthly });
  const tries: number[] = [];
  const slow = workAt(
    [1, 2, 3].map((days) => startOfTest + days * dayMs),
    tries,
  );
  const moved = await programme.move(100 * dayMs, { slowWork: [slow], bounds: { slowWorkMsMax: 0 } });
  expect(moved).toMatchObject({ ran: { "management fees": 4 }, finished: false });
  expect(tries).toEqual([]);
});

test("a process that died in the middle of a move keeps the next one waiting for its lease only", async () => {
  await programme.db.pool.query(
    `UPDATE sandbox_clock SET mover_id = gen_random_uuid(), moving_until = (extract(epoch FROM clock_timestamp()) * 1000)::bigint + 300`,
  );
  const startedAt = performance.now();
  await expect(programme.move(1_000, { bounds: { waitMsMax: 50 } })).rejects.toThrow("clock_is_moving");
  expect(await programme.move(1_000)).toMatchObject({ finished: true });
  expect(performance.now() - startedAt).toBeGreaterThan(250);
});

test("a move beyond ten years is refused before anything happens", async () => {
  const ran: number[] = [];
  await programme.move(3_650 * dayMs, { work: [] });
  await expect(programme.move(dayMs, { work: [workAt([startOfTest + 3_650 * dayMs + 5], ran)] })).rejects.toThrow(
    "too_far_ahead",
  );
  expect([ran, programme.clock.now()]).toEqual([[], startOfTest + 3_650 * dayMs]);
});

test("a card that time has carried past its last month buys nothing and pays nothing more", async () => {
  const card = await programme.issueCard({ rates: monthly, validMonths: 2 });
  const buy = () => programme.authorization.authorize(purchaseWith(card, "1.00"));
  // The last day of July, UTC+8.
  await programme.move(Date.UTC(2026, 6, 31, 15) - startOfTest);
  expect(await buy()).toMatchObject({ approved: true });
  await programme.move(3_600_000);
  expect(await buy()).toMatchObject({ approved: false, reason: "card_expired" });
  await programme.move(90 * dayMs);
  // May, June and July; the purchase was never cleared.
  expect((await booksOf(programme.db.pool)).charges).toHaveLength(3);
  expect((await programme.pots(card)).credit).toEqual(["994.00", "0.00"]);
});
