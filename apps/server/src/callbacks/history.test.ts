import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { uuid7 } from "#kernel/index.ts";
import { type Callbacks, createCallbacks } from "./callbacks.ts";
import type { CallbackFilter } from "./entries.ts";
import { answers, approves, type MerchantServer, startMerchantServer } from "./merchant-server.testing.ts";
import { emptyRoom, insertPushes, type MovableClock, movableClock, roomOptions, targetAt } from "./room.testing.ts";

const minute = 60_000;
const day = 86_400_000;
const merchantId = 1;
const unknownId = "00000000-0000-7000-8000-000000000000";
const fails = answers({ body: '{"code":1,"message":"no"}' });

let database: TestDatabase;
let merchant: MerchantServer;
let clock: MovableClock;
let room: Callbacks;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  await emptyRoom(database);
  merchant = await startMerchantServer();
  clock = movableClock();
  room = createCallbacks(roomOptions(database, { clock, target: () => targetAt(merchant.url) }));
});
afterEach(async () => {
  await merchant.close();
  await room.stop();
});

const key = (callbackId: string) => ({ merchantId, callbackId });

async function insert(cardNo: string, sequence: number): Promise<string> {
  const [id = ""] = await insertPushes(database, [{ merchantId, cardNo, sequence, nowMs: clock.now() }]);
  return id;
}

/** One push a minute about one card, all delivered. */
async function deliverSome(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let sequence = 1; sequence <= count; sequence += 1) {
    ids.push(await insert("C1", sequence));
    clock.advance(minute);
  }
  await room.delivery.runDue();
  return ids;
}

/** A push that was given up, its 30 days of retries being over; the endpoint itself is well. */
async function giveUp(cardNo: string): Promise<string> {
  const id = await insert(cardNo, 1);
  merchant.behave((push, response) => (push.id === id ? fails : approves)(push, response));
  await room.delivery.runDue();
  clock.advance(30 * day);
  await room.endpoints.sendTest({ merchantId });
  await room.delivery.runDue();
  return id;
}

test("a delivered push that is sent again arrives with the same id and data and another attempt, and both tries are kept", async () => {
  const [id = ""] = await deliverSome(1);
  expect(await room.history.resend(key(id))).toEqual({ ok: true, value: null });
  expect(await room.history.find(key(id))).toMatchObject({ state: "Open", attempts: 1, dueAtMs: clock.now() });
  await room.delivery.runDue();
  const [first, again] = merchant.received;
  expect(again?.body).toBe(first?.body);
  expect(again?.headers["attempt"]).toBe("2");
  const good = { httpStatus: 200, answer: '{"code":0,"message":""}', error: "" };
  expect(await room.history.attemptsOf(key(id))).toMatchObject([
    { attempt: 2, ...good },
    { attempt: 1, ...good },
  ]);
  expect(await room.history.find(key(id))).toMatchObject({ state: "Delivered", attempts: 2 });
});

test("a push that was given up and is sent again gets a new schedule of retries", async () => {
  const id = await giveUp("C1");
  expect(await room.history.find(key(id))).toMatchObject({ state: "GivenUp", attempts: 2, lastError: "code_not_zero" });
  clock.advance(10 * day);
  merchant.behave(fails);
  await room.history.resend(key(id));
  await room.delivery.runDue();
  expect(await room.history.find(key(id))).toMatchObject({
    state: "Open",
    dueAtMs: clock.now() + 5_000,
    firstFailedAtMs: clock.now(),
    attempts: 3,
  });
});

test("a push of another merchant or none cannot be found nor sent again", async () => {
  const [id = ""] = await deliverSome(1);
  const refusal = { ok: false, reason: "callback_not_found" };
  expect(await room.history.resend({ merchantId: 2, callbackId: id })).toEqual(refusal);
  expect(await room.history.resend(key(unknownId))).toEqual(refusal);
  expect(await room.history.find({ merchantId: 2, callbackId: id })).toBeNull();
});

test("a selection is sent again whether its pushes are open or over, and those that are not there are named", async () => {
  const [first = "", , third = ""] = await deliverSome(3);
  merchant.behave(fails);
  const open = await insert("C2", 1);
  await room.delivery.runDue();
  merchant.behave(approves);
  merchant.received.length = 0;
  const chosen = [third, open, unknownId, first.toUpperCase()];
  expect(await room.history.resendMany({ merchantId, callbackIds: chosen })).toEqual({
    resent: 3,
    unknown: [unknownId],
  });
  await room.delivery.runDue();
  expect(merchant.received.map(({ id }) => id).toSorted()).toEqual([first, open, third].toSorted());
  const tooMany = Array.from({ length: 101 }, () => first);
  await expect(room.history.resendMany({ merchantId, callbackIds: tooMany })).rejects.toThrow("100");
});

test("sending again since a moment sends exactly the pushes made from then on, in the order of the card", async () => {
  const startMs = clock.now();
  await deliverSome(6);
  merchant.received.length = 0;
  expect(await room.history.resendSince({ merchantId, sinceMs: startMs + 2 * minute })).toBe(4);
  await room.delivery.runDue();
  expect(merchant.received.map(({ data }) => data["sequence"])).toEqual([3, 4, 5, 6]);
  expect(await room.history.resendSince({ merchantId: 2, sinceMs: 0 })).toBe(0);
});

test("sending again since a moment reaches more pushes than one step holds, and of those that are open as well", async () => {
  const nowMs = clock.now();
  await room.partitions.keep();
  await database.pool.query(
    `INSERT INTO callback_history (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, state,
       attempts, failures, finished_at)
     SELECT $1, id, 'C' || i % 7, i, 'Card_update', '', '{}', $2::bigint, $2, 'Delivered', 1, 0, $2
     FROM unnest($3::uuid[]) WITH ORDINALITY AS u (id, i)`,
    [merchantId, nowMs, Array.from({ length: 2_500 }, () => uuid7(nowMs))],
  );
  await insertPushes(
    database,
    Array.from({ length: 1_100 }, (_, i) => ({ merchantId, cardNo: "D", sequence: i + 1, nowMs })),
  );
  expect(await room.history.resendSince({ merchantId, sinceMs: nowMs })).toBe(3_600);
  expect(await room.history.list({ merchantId, state: "Delivered" })).toEqual([]);
});

test("everything missed is what was given up and what fails and waits; what was delivered or was never tried is not", async () => {
  const givenUp = await giveUp("C1");
  merchant.behave(approves);
  await insert("C2", 1);
  await room.delivery.runDue();
  merchant.behave(fails);
  const failing = await insert("C3", 1);
  await room.delivery.runDue();
  merchant.behave(approves);
  await insertPushes(database, [{ merchantId, cardNo: "C4", sequence: 1, nowMs: clock.now() + minute }]);
  merchant.received.length = 0;
  expect(await room.history.resendMissed({ merchantId })).toBe(2);
  await room.delivery.runDue();
  expect(merchant.received.map(({ id }) => id).toSorted()).toEqual([givenUp, failing].toSorted());
  expect(await room.history.resendMissed({ merchantId })).toBe(0);
});

test("the list is newest first over open and finished pushes, filtered by everything, in pages", async () => {
  const startMs = clock.now();
  const ids = await deliverSome(4);
  await database.pool.query("UPDATE callback_history SET consume_no = 'O1', action = 'Consumption' WHERE sequence = 3");
  await insert("C2", 1);
  const listed = async (filter: Partial<CallbackFilter>): Promise<string[]> =>
    (await room.history.list({ merchantId, ...filter })).map(({ cardNo, sequence }) => `${cardNo}/${sequence}`);
  expect(await listed({})).toEqual(["C2/1", "C1/4", "C1/3", "C1/2", "C1/1"]);
  expect(await listed({ state: "Open" })).toEqual(["C2/1"]);
  expect(await listed({ state: "Delivered", limit: 1 })).toEqual(["C1/4"]);
  expect(await listed({ state: "GivenUp" })).toEqual([]);
  expect(await listed({ consumeNo: "O1" })).toEqual(["C1/3"]);
  expect(await listed({ consumeNo: "" })).toEqual([]);
  expect(await listed({ action: "Consumption" })).toEqual(["C1/3"]);
  expect(await listed({ cardNo: "C1", limit: 2 })).toEqual(["C1/4", "C1/3"]);
  expect(await listed({ cardNo: "C1", limit: 2, before: ids[2] ?? "" })).toEqual(["C1/2", "C1/1"]);
  expect(await listed({ fromMs: startMs + 2 * minute, toMs: startMs + 3 * minute })).toEqual(["C1/4", "C1/3"]);
  expect(await listed({ merchantId: 2 })).toEqual([]);
});
