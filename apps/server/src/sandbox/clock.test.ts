import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createMovableClock, type MovableClock } from "./clock.ts";

const realNow = Date.UTC(2026, 4, 22);
const dayMs = 86_400_000;

let db: TestDatabase;
let errors: unknown[];
const clocks: MovableClock[] = [];

beforeEach(async () => {
  db = await createTestDatabase();
  errors = [];
});

afterEach(async () => {
  await Promise.all(clocks.splice(0).map((clock) => clock.stop()));
  await db.drop();
});

/** The clock of a process, whose real time stands still. */
async function startClock(): Promise<MovableClock> {
  const onError = (error: unknown) => void errors.push(error);
  const clock = await createMovableClock({ pool: db.pool, real: { now: () => realNow }, refreshMs: 5, onError });
  clocks.push(clock);
  return clock;
}

async function until(isSo: () => boolean): Promise<void> {
  for (let looks = 0; looks < 1_000 && !isSo(); looks += 1) await sleep(5);
  expect(isSo()).toBe(true);
}

test("a clock that nobody moved is the machine's", async () => {
  const clock = await startClock();
  expect([clock.now(), clock.offsetMs()]).toEqual([realNow, 0]);
});

test("whoever moves the clock sees the new time at once, the other processes soon, and a new one from its start", async () => {
  const [clock, follower] = [await startClock(), await startClock()];
  expect(await clock.advance(7 * dayMs)).toEqual({ ok: true, value: realNow + 7 * dayMs });
  expect(clock.now()).toBe(realNow + 7 * dayMs);
  await until(() => follower.now() === realNow + 7 * dayMs);
  expect((await startClock()).now()).toBe(realNow + 7 * dayMs);
});

test("racing moves add up, and no clock ever goes back", async () => {
  const [one, other] = [await startClock(), await startClock()];
  const seen: number[] = [];
  const watching = setInterval(() => seen.push(one.now()), 1);
  await Promise.all(Array.from({ length: 20 }, (_, place) => (place % 2 === 0 ? one : other).advance(1_000)));
  await until(() => one.now() === realNow + 20_000 && other.now() === realNow + 20_000);
  clearInterval(watching);
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
});

test("the clock moves forward only, and at most ten years", async () => {
  const clock = await startClock();
  for (const ms of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    await expect(clock.advance(ms)).rejects.toThrow(RangeError);
  }
  expect(await clock.advance(3_650 * dayMs + 1)).toEqual({ ok: false, reason: "too_far_ahead" });
  expect(await clock.advance(3_650 * dayMs)).toMatchObject({ ok: true });
  expect(await clock.advance(1)).toEqual({ ok: false, reason: "too_far_ahead" });
});

test("the database refuses a second clock and one that is behind", async () => {
  await expect(db.ownerPool.query("INSERT INTO sandbox_clock (offset_ms) VALUES (1)")).rejects.toMatchObject({
    code: "23505",
  });
  await expect(db.ownerPool.query("UPDATE sandbox_clock SET offset_ms = -1")).rejects.toMatchObject({ code: "23514" });
});

test("a clock that cannot be read goes on with what it knows, and says so", async () => {
  const clock = await startClock();
  await clock.advance(dayMs);
  await db.ownerPool.query("ALTER TABLE sandbox_clock RENAME TO sandbox_clock_lost");
  await until(() => errors.length > 0);
  expect(clock.now()).toBe(realNow + dayMs);
});
