import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Callbacks, createCallbacks } from "./callbacks.ts";
import { answers, type MerchantServer, startMerchantServer } from "./merchant-server.testing.ts";
import { emptyRoom, insertPushes, type MovableClock, movableClock, roomOptions, targetAt } from "./room.testing.ts";

const minute = 60_000;
const day = 86_400_000;
const merchantId = 1;
const unknownId = "00000000-0000-7000-8000-000000000000";

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

/** One push a minute about one card, all delivered. */
async function deliverSome(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let sequence = 1; sequence <= count; sequence += 1) {
    ids.push(...(await insertPushes(database, [{ merchantId, cardNo: "C1", sequence, nowMs: clock.now() }])));
    clock.advance(minute);
  }
  await room.delivery.runDue();
  return ids;
}

test("a delivered push that is sent again arrives with the same id and data and another attempt", async () => {
  const [id = ""] = await deliverSome(1);
  expect(await room.history.resend({ merchantId, callbackId: id })).toEqual({ ok: true, value: null });
  await room.delivery.runDue();
  const [first, again] = merchant.received;
  expect(again?.body).toBe(first?.body);
  expect(again?.headers["attempt"]).toBe("2");
  expect((await room.history.attemptsOf({ merchantId, callbackId: id })).map(({ attempt }) => attempt)).toEqual([2, 1]);
});

test("a push that was given up and is sent again gets a new schedule of retries", async () => {
  const [id = ""] = await insertPushes(database, [{ merchantId, cardNo: "C1", sequence: 1, nowMs: clock.now() }]);
  await database.pool.query(
    "UPDATE callback SET state = 'GivenUp', failures = 68, first_failed_at = 0, finished_at = $1",
    [clock.now()],
  );
  clock.advance(10 * day);
  merchant.behave(answers({ body: '{"code":1}' }));
  await room.history.resend({ merchantId, callbackId: id });
  await room.delivery.runDue();
  const [entry] = await room.history.list({ merchantId });
  expect(entry).toMatchObject({ state: "Due", dueAtMs: clock.now() + 5_000, firstFailedAtMs: clock.now() });
});

test("a push of another merchant or none cannot be sent again", async () => {
  const [id = ""] = await deliverSome(1);
  const refusal = { ok: false, reason: "callback_not_found" };
  expect(await room.history.resend({ merchantId: 2, callbackId: id })).toEqual(refusal);
  expect(await room.history.resend({ merchantId, callbackId: unknownId })).toEqual(refusal);
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

test("sending again since a moment reaches more pushes than one step holds", async () => {
  const nowMs = clock.now();
  await insertPushes(
    database,
    Array.from({ length: 2_500 }, (_, i) => ({ merchantId, cardNo: "C1", sequence: i + 1, nowMs })),
  );
  await database.pool.query("UPDATE callback SET state = 'Delivered', finished_at = $1", [nowMs]);
  expect(await room.history.resendSince({ merchantId, sinceMs: nowMs })).toBe(2_500);
});

test("the list is newest first, filtered by card, state and time, in pages", async () => {
  const ids = await deliverSome(4);
  await insertPushes(database, [{ merchantId, cardNo: "C2", sequence: 1, nowMs: clock.now() }]);
  const listed = async (filter: Partial<Parameters<Callbacks["history"]["list"]>[0]>): Promise<string[]> =>
    (await room.history.list({ merchantId, ...filter })).map(({ cardNo, sequence }) => `${cardNo}/${sequence}`);
  expect(await listed({})).toEqual(["C2/1", "C1/4", "C1/3", "C1/2", "C1/1"]);
  expect(await listed({ state: "Due" })).toEqual(["C2/1"]);
  expect(await listed({ cardNo: "C1", limit: 2 })).toEqual(["C1/4", "C1/3"]);
  expect(await listed({ cardNo: "C1", limit: 2, before: ids[2] ?? "" })).toEqual(["C1/2", "C1/1"]);
  expect(await listed({ fromMs: clock.now() - 2 * minute, toMs: clock.now() - minute })).toEqual(["C1/4", "C1/3"]);
  expect(await listed({ merchantId: 2 })).toEqual([]);
});

test("pushes that ended more than 30 days ago are removed with their attempts, in steps, and open ones never", async () => {
  await deliverSome(3);
  await insertPushes(database, [{ merchantId, cardNo: "C2", sequence: 1, nowMs: clock.now() }]);
  clock.advance(30 * day);
  expect(await room.history.removeOld()).toBe(0);
  clock.advance(1);
  expect(await room.history.removeOld(2)).toBe(2);
  expect(await room.history.removeOld(2)).toBe(1);
  expect((await room.history.list({ merchantId })).map(({ cardNo }) => cardNo)).toEqual(["C2"]);
  const { rows } = await database.pool.query("SELECT count(*)::integer AS attempts FROM callback_attempt");
  expect(rows).toEqual([{ attempts: 0 }]);
});
