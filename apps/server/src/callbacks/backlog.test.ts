import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { selectBacklog } from "./backlog-store.ts";
import { createCallbacks } from "./callbacks.ts";
import { bringLineUpToDate } from "./outbox-store.ts";
import { emptyRoom, insertPushes, movableClock, roomOptions } from "./room.testing.ts";

let database: TestDatabase;
const clock = movableClock();
const nowMs = clock.now();

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyRoom(database));

const queue = (merchantId: number, dueAtMs: number): Promise<unknown> =>
  insertPushes(database, [{ merchantId, cardNo: `C${merchantId}`, sequence: 1, nowMs: dueAtMs }]);

test("what no worker has seen is counted apart from the line, and either can be the one that is behind", async () => {
  const room = createCallbacks(roomOptions(database, { clock, target: () => null }));
  expect(await room.backlog()).toEqual({ inOutbox: 0, inLine: 0, dueSinceMs: null });
  await queue(1, nowMs - 5_000);
  await queue(2, nowMs - 3_000);
  expect(await room.backlog()).toEqual({ inOutbox: 2, inLine: 0, dueSinceMs: nowMs - 5_000 });
  await bringLineUpToDate(database.pool);
  await queue(3, nowMs - 1_000);
  expect(await room.backlog()).toEqual({ inOutbox: 1, inLine: 2, dueSinceMs: nowMs - 5_000 });
  expect(await selectBacklog(database.pool, { nowMs, countMax: 1 })).toMatchObject({ inOutbox: 1, inLine: 1 });
  await room.stop();
});

test("what is not due yet, or cannot go for the merchant's own reasons, is not behind", async () => {
  for (const [merchantId, dueAtMs] of [
    [1, nowMs - 9_000],
    [2, nowMs - 8_000],
    [3, nowMs - 7_000],
    [4, nowMs + 1_000],
    [5, nowMs - 2_000],
  ] as const) {
    await queue(merchantId, dueAtMs);
  }
  await bringLineUpToDate(database.pool);
  await database.pool.query(
    `INSERT INTO callback_endpoint (merchant_id, paused_by, paused_at, held_until, failing_since)
     VALUES (1, 'operator', 0, 0, NULL), (2, '', NULL, $1::bigint + 1, NULL), (3, '', NULL, 0, 1), (5, '', NULL, $1, NULL)`,
    [nowMs],
  );
  const backlog = () => selectBacklog(database.pool, { nowMs, countMax: 100 });
  expect(await backlog()).toEqual({ inOutbox: 0, inLine: 5, dueSinceMs: nowMs - 2_000 });
  await database.pool.query("DELETE FROM callback WHERE merchant_id = 5");
  expect(await backlog()).toEqual({ inOutbox: 0, inLine: 4, dueSinceMs: null });
});
