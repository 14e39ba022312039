import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { uuid7 } from "#kernel/index.ts";
import { createCallbacks } from "./callbacks.ts";
import { callbackLimits } from "./limits.ts";
import { bringLineUpToDate, emptyOutbox } from "./outbox-store.ts";
import { emptyRoom, insertPushes, movableClock, roomOptions } from "./room.testing.ts";

let database: TestDatabase;
const clock = movableClock();

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => emptyRoom(database));

const cardNo = "C20260522OUTBOX0000000001";

/** One row of the outbox for each number. */
async function queue(sequences: readonly number[], card: string = cardNo): Promise<void> {
  for (const sequence of sequences) {
    await insertPushes(database, [{ merchantId: 1, cardNo: card, sequence, nowMs: clock.now() }]);
  }
}

async function count(table: "callback" | "callback_outbox" | "any_callback"): Promise<number> {
  const { rows } = await database.pool.query<{ count: bigint }>(`SELECT count(*) FROM ${table}`);
  return Number(rows[0]?.count);
}

test("a push is to be seen in the outbox and after it, once", async () => {
  await queue([1, 2, 3]);
  expect([await count("callback_outbox"), await count("callback"), await count("any_callback")]).toEqual([3, 0, 3]);
  expect(await emptyOutbox(database.pool)).toEqual({ moved: 3, mayHaveMore: false });
  expect([await count("callback_outbox"), await count("callback"), await count("any_callback")]).toEqual([0, 3, 3]);
  expect(await emptyOutbox(database.pool)).toEqual({ moved: 0, mayHaveMore: false });
});

test("a push has the text that is meant for it, whether that lies with the texts of its batch or by itself", async () => {
  const [first, own, third] = [1, 2, 3].map(() => uuid7(clock.now()));
  const texts = ['{"n":1,"name":"café ☕ \\u001f"}', '{"n":"not used"}', '{"n":3}'];
  await database.pool.query(
    `INSERT INTO callback_outbox (callbacks, texts, size)
     SELECT ARRAY[
       ROW(1, $1, $4, 1, 'Consumption', '', '', 1, 1, 1), ROW(1, $2, $4, 2, 'Consumption', '', '{"n":2}', 1, 1, NULL),
       ROW(1, $3, $4, 3, 'Consumption', '', '', 1, 1, 3)
     ]::outgoing_callback[], array_to_string($5::text[], E'\\x1f'), 3`,
    [first, own, third, cardNo, texts],
  );
  const written = async (): Promise<unknown> =>
    (await database.pool.query("SELECT callback_id, data FROM any_callback ORDER BY sequence")).rows;
  const expected = [
    { callback_id: first, data: texts[0] },
    { callback_id: own, data: '{"n":2}' },
    { callback_id: third, data: texts[2] },
  ];
  expect(await written()).toEqual(expected);
  expect(await emptyOutbox(database.pool)).toEqual({ moved: 3, mayHaveMore: false });
  expect(await written()).toEqual(expected);
});

test("one step moves a bounded number, the oldest first, and a reader of the line goes on until all have moved", async () => {
  const half = Math.ceil(callbackLimits.outboxMax / 2);
  for (const batch of [0, 1, 2]) {
    const pushes = Array.from({ length: half }, (_, i) => ({
      merchantId: 1,
      cardNo,
      sequence: batch * half + i + 1,
      nowMs: clock.now(),
    }));
    await insertPushes(database, pushes);
  }
  expect(await emptyOutbox(database.pool)).toEqual({ moved: 2 * half, mayHaveMore: true });
  const { rows } = await database.pool.query("SELECT max(sequence) AS last, count(*) FROM callback");
  expect(rows).toEqual([{ last: BigInt(2 * half), count: BigInt(2 * half) }]);
  await bringLineUpToDate(database.pool);
  expect([await count("callback_outbox"), await count("callback")]).toEqual([0, 3 * half]);
});

test("the list has a push that no worker has seen yet", async () => {
  const room = createCallbacks(roomOptions(database, { clock, target: () => null }));
  const ids = await insertPushes(database, [{ merchantId: 1, cardNo, sequence: 1, nowMs: clock.now() }]);
  try {
    const listed = await room.history.list({ merchantId: 1 });
    expect(listed.map(({ callbackId, state }) => [callbackId, state])).toEqual([[ids[0], "Open"]]);
    expect((await room.endpoints.stateOf(1)).openCount).toBe(1);
  } finally {
    await room.stop();
  }
});

test("what cannot be delivered fails whoever writes it, and nothing is queued", async () => {
  await expect(
    database.pool.query(
      `INSERT INTO callback_outbox (callbacks, size)
       SELECT ARRAY[ROW(1, $1, $2, 1, 'Consumption', '', NULL, 1, 1, NULL)::outgoing_callback], 1`,
      [uuid7(clock.now()), cardNo],
    ),
  ).rejects.toThrow(/known_text does not allow null values/u);
  await expect(
    database.pool.query(
      `INSERT INTO callback_outbox (callbacks, size)
       SELECT ARRAY[ROW(1, $1, $2, 1, 'Nothing', '', '{}', 1, 1, NULL)::outgoing_callback], 1`,
      [uuid7(clock.now()), cardNo],
    ),
  ).rejects.toThrow(/callback_action/u);
  expect(await count("callback_outbox")).toBe(0);
});

test("while many write and many empty it, no push overtakes an earlier one of its card, and none is lost or there twice", async () => {
  const cards = Array.from({ length: 4 }, (_, i) => `C20260522OUTBOX000000000${i}`);
  const each = 60;
  const state = { isWriting: true };
  // As the decision does: the card is locked until its push has been committed, which here takes a while now and then.
  const write = async (card: string): Promise<void> => {
    for (let sequence = 1; sequence <= each; sequence += 1) {
      const client = await database.pool.connect();
      try {
        await client.query("BEGIN");
        await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))", [card]);
        await client.query(
          `INSERT INTO callback_outbox (callbacks, size)
           SELECT ARRAY[ROW(1, $1, $2, $3, 'Consumption', '', '{}', $4, $4, NULL)::outgoing_callback], 1`,
          [uuid7(clock.now()), card, sequence, clock.now()],
        );
        await sleep(sequence % 7);
        await client.query("COMMIT");
      } finally {
        client.release();
      }
    }
  };
  const empty = async (): Promise<number> => {
    let moved = 0;
    while (state.isWriting) {
      moved += (await emptyOutbox(database.pool)).moved;
    }
    return moved;
  };
  const overtaken: unknown[] = [];
  let looks = 0;
  const watch = async (): Promise<void> => {
    while (state.isWriting) {
      const { rows } = await database.pool.query(
        "SELECT card_no, max(sequence) AS last, count(*) FROM callback GROUP BY card_no HAVING count(*) <> max(sequence)",
      );
      overtaken.push(...rows);
      looks += 1;
    }
  };
  const emptying = [empty(), empty(), empty(), watch().then(() => 0)];
  await Promise.all(cards.map(write));
  state.isWriting = false;
  const moved = (await Promise.all(emptying)).reduce((sum, one) => sum + one, 0);
  const rest = (await emptyOutbox(database.pool)).moved;
  expect(overtaken).toEqual([]);
  expect(looks).toBeGreaterThan(10);
  expect(moved).toBeGreaterThan(0);
  expect(moved + rest).toBe(cards.length * each);
  const { rows } = await database.pool.query(
    "SELECT card_no, count(*)::integer, max(sequence)::integer FROM callback GROUP BY card_no ORDER BY card_no",
  );
  expect(rows).toEqual(cards.map((card) => ({ card_no: card, count: each, max: each })));
});
