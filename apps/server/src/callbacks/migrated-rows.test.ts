import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migrate } from "#database/index.ts";
import { uuid7 } from "#kernel/index.ts";
import { createCallbacks } from "./callbacks.ts";
import { startMerchantServer } from "./merchant-server.testing.ts";
import { movableClock, roomOptions, targetAt } from "./room.testing.ts";

const migrations = fileURLToPath(new URL("../../migrations", import.meta.url));
const clock = movableClock();
const nowMs = clock.now();
const day = 86_400_000;
const merchantId = 1;

let database: TestDatabase;
const opened: AsyncDisposableStack[] = [];

/** The schema as it was before a migration; it and its database are removed in the end. */
async function databaseBefore(migration: string): Promise<TestDatabase> {
  const stack = new AsyncDisposableStack();
  opened.push(stack);
  const created = await createTestDatabase({ schema: "empty" });
  stack.defer(() => created.drop());
  const directory = await mkdtemp(join(tmpdir(), "cardwright-migrations-"));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const before = (await readdir(migrations)).filter((name) => name < migration);
  await Promise.all(before.map((name) => cp(join(migrations, name), join(directory, name))));
  await migrate({ url: created.url, directory, clock });
  return created;
}

/** When delivered pushes stood in the same table as open ones. */
beforeAll(async () => {
  database = await databaseBefore("0023");
});
afterAll(async () => {
  for (const stack of opened) {
    await stack.disposeAsync();
  }
});

interface OldPush {
  readonly cardNo: string;
  readonly sequence: number;
  readonly consumeNo?: string;
  readonly state: "Due" | "Delivered" | "GivenUp";
  readonly dueAtMs?: number;
  readonly attempts: number;
  readonly failures: number;
  readonly firstFailedAtMs?: number;
  readonly finishedAtMs?: number;
}

async function insertOld(push: OldPush): Promise<string> {
  const id = uuid7(nowMs);
  await database.ownerPool.query(
    `INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, state, due_at, attempts,
       failures, first_failed_at, finished_at)
     VALUES ($1, $2, $3, $4, 'Consumption', $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      merchantId,
      id,
      push.cardNo,
      push.sequence,
      push.consumeNo ?? "",
      `{"card_no":"${push.cardNo}","sequence":${push.sequence}}`,
      nowMs - 40 * day,
      push.state,
      push.dueAtMs ?? nowMs,
      push.attempts,
      push.failures,
      push.firstFailedAtMs ?? null,
      push.finishedAtMs ?? null,
    ],
  );
  for (let attempt = 1; attempt <= push.attempts; attempt += 1) {
    await database.ownerPool.query(
      `INSERT INTO callback_attempt (merchant_id, callback_id, attempt, attempted_at, duration_ms, http_status, answer, error)
       VALUES ($1, $2, $3, $4, 12.5, 200, 'answer', $5)`,
      [merchantId, id, attempt, nowMs - attempt * 20 * day, attempt <= push.failures ? "http_status" : ""],
    );
  }
  return id;
}

test("rows of before are all there after: open ones go on where they were, finished ones are history with their tries", async () => {
  const delivered = await insertOld({
    cardNo: "C1",
    sequence: 1,
    consumeNo: "O1",
    state: "Delivered",
    attempts: 2,
    failures: 1,
    firstFailedAtMs: nowMs - 40 * day,
    finishedAtMs: nowMs - 20 * day,
  });
  const givenUp = await insertOld({
    cardNo: "C2",
    sequence: 1,
    state: "GivenUp",
    attempts: 2,
    failures: 2,
    firstFailedAtMs: nowMs - 40 * day,
    finishedAtMs: nowMs - 3 * day,
  });
  const failing = await insertOld({
    cardNo: "C1",
    sequence: 2,
    consumeNo: "O1",
    state: "Due",
    dueAtMs: nowMs + 5_000,
    attempts: 1,
    failures: 1,
    firstFailedAtMs: nowMs - 1_000,
  });
  const untried = await insertOld({ cardNo: "C3", sequence: 1, state: "Due", attempts: 0, failures: 0 });
  await database.ownerPool.query(
    `INSERT INTO merchant_question (merchant_id, consume_no, asked_at, done_ms, http_status, answer_code, verdict, late)
     VALUES ($1, 'O1', $2, 1012.4, 200, 0, 'timeout', true)`,
    [merchantId, nowMs],
  );
  const { rows: before } = await database.ownerPool.query(
    `SELECT merchant_id, callback_id, card_no, sequence, action::text, consume_no, data, created_at, due_at, attempts, failures,
       first_failed_at, finished_at FROM callback ORDER BY callback_id`,
  );

  const { applied } = await migrate({ url: database.url, directory: migrations, clock });
  expect(applied[0]).toBe("open_callbacks");

  const { rows: after } = await database.pool.query(
    `SELECT merchant_id, callback_id, card_no, sequence, action::text, consume_no, data, created_at, due_at, attempts, failures,
       first_failed_at, finished_at FROM any_callback ORDER BY callback_id`,
  );
  expect(after).toEqual(before);

  const merchant = await startMerchantServer();
  const room = createCallbacks(roomOptions(database, { clock, target: () => targetAt(merchant.url) }));
  const stateOf = async (callbackId: string) => {
    const entry = await room.history.find({ merchantId, callbackId });
    const attempts = await room.history.attemptsOf({ merchantId, callbackId });
    return [entry?.state, entry?.lastError, attempts.map(({ attempt, error }) => `${attempt} ${error}`)];
  };
  expect(await stateOf(delivered)).toEqual(["Delivered", "", ["2 ", "1 http_status"]]);
  expect(await stateOf(givenUp)).toEqual(["GivenUp", "http_status", ["2 http_status", "1 http_status"]]);
  expect(await stateOf(failing)).toEqual(["Open", "http_status", ["1 http_status"]]);
  expect(await stateOf(untried)).toEqual(["Open", "", []]);

  expect(await room.delivery.runDue()).toBe(1);
  clock.advance(5_000);
  expect(await room.delivery.runDue()).toBe(1);
  expect(merchant.received.map(({ id, headers }) => [id, headers["attempt"]])).toEqual([
    [untried, "1"],
    [failing, "2"],
  ]);
  // The late answer was told by the first push about the consumption, before.
  expect(merchant.received[1]?.headers["late-answer"]).toBeUndefined();
  await room.stop();
  await merchant.close();
});

test("what lies in the outbox when its texts are put apart keeps its own", async () => {
  const old = await databaseBefore("0029");
  const callbackId = uuid7(nowMs);
  await old.pool.query(
    `INSERT INTO callback_outbox (callbacks, size)
     SELECT ARRAY[ROW($1, $2, 'C1', 1, 'Consumption', 'O1', '{"n":1}', 1, 1)::outgoing_callback], 1`,
    [merchantId, callbackId],
  );
  await migrate({ url: old.url, directory: migrations, clock });
  const texts = async (): Promise<unknown> => (await old.pool.query("SELECT callback_id, data FROM any_callback")).rows;
  expect(await texts()).toEqual([{ callback_id: callbackId, data: '{"n":1}' }]);
  await old.pool.query("SELECT empty_callback_outbox(10)");
  expect(await texts()).toEqual([{ callback_id: callbackId, data: '{"n":1}' }]);
});
