import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Callbacks, createCallbacks } from "./callbacks.ts";
import { answers, approves, type MerchantServer, startMerchantServer } from "./merchant-server.testing.ts";
import { createPartitions } from "./partitions.ts";
import { insertPushes, type MovableClock, movableClock, quietLog, roomOptions, targetAt } from "./room.testing.ts";

const day = 86_400_000;
const merchantId = 1;

let database: TestDatabase;
let merchant: MerchantServer;
let clock: MovableClock;
let rooms: Callbacks[];

beforeEach(async () => {
  database = await createTestDatabase();
  merchant = await startMerchantServer();
  clock = movableClock();
  rooms = [];
});
afterEach(async () => {
  await merchant.close();
  await Promise.all(rooms.map((room) => room.stop()));
  await database.drop();
});

function makeRoom(): Callbacks {
  const room = createCallbacks(roomOptions(database, { clock, target: () => targetAt(merchant.url) }));
  rooms.push(room);
  return room;
}

async function days(parent: "callback_history" | "callback_attempt"): Promise<string[]> {
  const { rows } = await database.pool.query<{ child: string }>(
    "SELECT child FROM callback_partitions($1) ORDER BY 1",
    [parent],
  );
  return rows.map(({ child }) => child.slice(-8));
}

async function insert(cardNo: string): Promise<string> {
  const [id = ""] = await insertPushes(database, [{ merchantId, cardNo, sequence: 1, nowMs: clock.now() }]);
  return id;
}

test("today and the next three days have their tables before they begin, made once by any number of workers", async () => {
  const made = await Promise.all(Array.from({ length: 4 }, () => makeRoom().partitions.keep()));
  expect(made.reduce((sum, each) => sum + each, 0)).toBe(8);
  expect(await days("callback_history")).toEqual(["20260522", "20260523", "20260524", "20260525"]);
  expect(await days("callback_attempt")).toEqual(await days("callback_history"));
  clock.advance(day);
  expect(await makeRoom().partitions.keep()).toBe(2);
  expect(await makeRoom().partitions.keep()).toBe(0);
});

test("results of a day that nobody has prepared are written all the same, whichever worker comes first", async () => {
  const first = makeRoom();
  await first.partitions.keep();
  clock.advance(400 * day);
  const ids = await Promise.all(Array.from({ length: 20 }, (_, i) => insert(`C${i}`)));
  merchant.behave((push, response) =>
    (push.data["card_no"] === "C0" ? answers({ body: "", status: 500 }) : approves)(push, response),
  );
  const tried = await Promise.all([first.delivery.runDue(), makeRoom().delivery.runDue()]);
  expect(tried.reduce((sum, each) => sum + each, 0)).toBe(20);
  expect(merchant.received).toHaveLength(20);
  expect(await first.history.list({ merchantId, state: "Delivered" })).toHaveLength(19);
  const [failed = ""] = ids;
  expect(await first.history.attemptsOf({ merchantId, callbackId: failed })).toMatchObject([{ attempt: 1 }]);
  expect((await days("callback_attempt")).at(-1)).toBe("20270626");
});

test("finished pushes go 30 days after the day they ended, by dropping its table; open ones and their tries stay", async () => {
  const room = makeRoom();
  await room.partitions.keep();
  const delivered = await insert("C1");
  await room.delivery.runDue();
  merchant.behave(answers({ body: "", status: 500 }));
  const open = await insert("C2");
  await room.delivery.runDue();
  clock.advance(30 * day);
  await room.partitions.keep();
  expect(await room.history.find({ merchantId, callbackId: delivered })).toMatchObject({ state: "Delivered" });
  clock.advance(day);
  await room.partitions.keep();
  expect(await room.history.find({ merchantId, callbackId: delivered })).toBeNull();
  expect(await room.history.find({ merchantId, callbackId: open })).toMatchObject({ state: "Open" });
  expect(await room.history.attemptsOf({ merchantId, callbackId: open })).toHaveLength(1);
  expect((await days("callback_history"))[0]).toBe("20260523");
  expect((await days("callback_attempt"))[0]).toBe("20260522");
  clock.advance(31 * day);
  await room.partitions.keep();
  expect((await days("callback_attempt"))[0]).toBe("20260523");
});

test("a day that somebody reads for long is not waited for, and goes another time", async () => {
  const warned: string[] = [];
  const log = { ...quietLog, warn: (_fields: object, message: string) => void warned.push(message) };
  const partitions = createPartitions({ pool: database.pool, clock, log });
  await partitions.keep();
  clock.advance(40 * day);
  const reader = await database.pool.connect();
  await reader.query("BEGIN");
  await reader.query("SELECT count(*) FROM callback_history");
  await partitions.keep();
  expect(warned).toHaveLength(1);
  expect((await days("callback_history"))[0]).toBe("20260522");
  await reader.query("COMMIT");
  reader.release();
  await partitions.keep();
  expect((await days("callback_history"))[0]).toBe("20260701");
});

test("the platform's own role can neither make nor drop a table but through these functions", async () => {
  await createPartitions({ pool: database.pool, clock, log: quietLog }).keep();
  await expect(database.pool.query("DROP TABLE callback_history_20260522")).rejects.toThrow("must be owner");
  await expect(database.pool.query("CREATE TABLE callback_history_x (LIKE callback_history)")).rejects.toThrow(
    "permission denied",
  );
});

test("an error that has nothing to do with partitions is thrown on, at once", async () => {
  const partitions = createPartitions({ pool: database.pool, clock, log: quietLog });
  let runs = 0;
  const work = async (): Promise<void> => {
    runs += 1;
    await database.pool.query("INSERT INTO callback_endpoint (merchant_id, paused_by) VALUES (1, 'nobody')");
  };
  await expect(partitions.writing(() => [clock.now()], work)).rejects.toThrow("callback_endpoint");
  expect(runs).toBe(1);
});
