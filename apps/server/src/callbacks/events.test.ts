import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createEventLog } from "./events.ts";
import { movableClock, quietLog } from "./room.testing.ts";

const day = 86_400_000;
const clock = movableClock();
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test("openings and closings of a circuit are listed newest first, page by page, per merchant", async () => {
  const events = createEventLog({ pool: database.pool, clock, log: quietLog });
  events.circuitChanged({ kind: "opened", merchantId: 1, cause: "failures", waitMs: 5_000 }, "questions");
  events.circuitChanged({ kind: "opened", merchantId: 2, cause: "failures", waitMs: 5_000 }, "questions");
  clock.advance(1_000);
  events.circuitChanged({ kind: "closed", merchantId: 1, openMs: 1_000.4 }, "deliveries");
  await events.stop();
  const listed = await events.list({ merchantId: 1, page: 0, size: 10 });
  expect(listed).toMatchObject([
    { kind: "circuit_closed", detail: { about: "deliveries", open_ms: 1_000 }, atMs: clock.now() },
    {
      kind: "circuit_opened",
      detail: { about: "questions", cause: "failures", wait_ms: 5_000 },
      atMs: clock.now() - 1_000,
    },
  ]);
  expect(await events.list({ merchantId: 1, page: 1, size: 1 })).toEqual(listed.slice(1));
  expect(await events.list({ merchantId: 3, page: 0, size: 10 })).toEqual([]);
});

test("events are removed after 90 days, in bounded steps, and younger ones stay", async () => {
  const base = clock.now();
  await database.pool.query(
    `INSERT INTO merchant_event (merchant_id, event_id, kind, at)
     SELECT 9, gen_random_uuid(), 'circuit_opened', $1 FROM generate_series(1, 1500)`,
    [base],
  );
  clock.advance(89 * day);
  const events = createEventLog({ pool: database.pool, clock, log: quietLog });
  expect(await events.removeOld()).toBe(0);
  clock.advance(day + 1);
  const steps = [await events.removeOld(), await events.removeOld(), await events.removeOld()];
  expect(steps).toEqual([1_000, 503, 0]);
  await events.stop();
});

test("an event that cannot be written is lost with a line in the log, and nobody notices otherwise", async () => {
  const warned: object[] = [];
  const log = { ...quietLog, warn: (fields: object) => void warned.push(fields) };
  const events = createEventLog({ pool: database.pool, clock, log });
  await events.stop();
  events.circuitChanged({ kind: "closed", merchantId: 1, openMs: 1 }, "questions");
  await new Promise((resolve) => setImmediate(resolve));
  expect(warned).toMatchObject([{ rows: "merchant events", losses: 1 }]);
});
