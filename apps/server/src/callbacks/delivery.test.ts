import { verifyV1 } from "@cardwright/signing";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { systemClock, uuid7 } from "#kernel/index.ts";
import { type CallbackOptions, type Callbacks, createCallbacks } from "./callbacks.ts";
import type { CallbackEntry } from "./entries.ts";
import {
  answerJson,
  answers,
  approves,
  dribbles,
  hangs,
  type MerchantServer,
  startMerchantServer,
} from "./merchant-server.testing.ts";
import { emptyOutbox } from "./outbox-store.ts";
import {
  apiSecret,
  appId,
  emptyRoom,
  insertPushes,
  type MovableClock,
  movableClock,
  roomOptions,
  targetAt,
} from "./room.testing.ts";

const second = 1_000;
const minute = 60 * second;
const day = 86_400 * second;

let database: TestDatabase;
let merchant: MerchantServer;
let clock: MovableClock;
let rooms: Callbacks[];
let merchantId = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  await emptyRoom(database);
  merchant = await startMerchantServer();
  clock = movableClock();
  rooms = [];
  merchantId += 1;
});
afterEach(async () => {
  await merchant.close();
  await Promise.all(rooms.map((room) => room.stop()));
});

function makeRoom(ports: Partial<CallbackOptions> = {}): Callbacks {
  const room = createCallbacks(roomOptions(database, { clock, target: () => targetAt(merchant.url), ...ports }));
  rooms.push(room);
  return room;
}

/** Pushes 1 to `count` of one card. */
function insertCard(count: number, cardNo = "C1"): Promise<string[]> {
  return insertPushes(
    database,
    Array.from({ length: count }, (_, i) => ({ merchantId, cardNo, sequence: i + 1, nowMs: clock.now() })),
  );
}

async function entryOf(room: Callbacks, callbackId: string): Promise<CallbackEntry> {
  const entry = await room.history.find({ merchantId, callbackId });
  if (entry === null) {
    throw new Error("no such push");
  }
  return entry;
}

function sequences(): unknown[] {
  return merchant.received.map(({ data }) => data["sequence"]);
}

/** Moves the clock to the moment the next try is due. */
async function advanceTo(room: Callbacks, callbackId: string): Promise<number> {
  const { dueAtMs } = await entryOf(room, callbackId);
  const waitMs = dueAtMs - clock.now();
  clock.advance(waitMs);
  return waitMs;
}

test("a due push arrives signed, with its sequence and attempt, and is delivered", async () => {
  const room = makeRoom();
  const [id = ""] = await insertCard(1);
  expect(await room.delivery.runDue()).toBe(1);
  const [push] = merchant.received;
  const dataText = '{"card_no":"C1","sequence":1,"reason":"café ☕ & more"}';
  expect(push?.body).toBe(`{"id":"${id}","action":"Card_update","data":${dataText}}`);
  expect(push?.headers).toMatchObject({ "sign-version": "V1", timezone: "UTC+8", sequence: "1", attempt: "1" });
  const { timestamp, signature } = push?.headers ?? {};
  const signed = { appId, apiSecret, dataText, timestamp: String(timestamp), signature: String(signature) };
  expect(verifyV1({ ...signed, nowMs: systemClock.now() })).toEqual({ ok: true });
  expect(await entryOf(room, id)).toMatchObject({ state: "Delivered", attempts: 1, finishedAtMs: clock.now() });
  expect(await room.delivery.runDue()).toBe(0);
});

test("a push that is not due yet is left alone", async () => {
  const room = makeRoom();
  await insertPushes(database, [{ merchantId, cardNo: "C1", sequence: 1, nowMs: clock.now() + 1 }]);
  expect(await room.delivery.runDue()).toBe(0);
  clock.advance(1);
  expect(await room.delivery.runDue()).toBe(1);
});

test.each([
  ["code 1", answers({ body: '{"code":1}' }), "code_not_zero", 200],
  ["code as the text 0", answers({ body: '{"code":"0"}' }), "not_an_answer", 200],
  ["garbage", answers({ body: "\u0000<html>" }), "not_an_answer", 200],
  ["HTTP 500", answers({ body: '{"code":0}', status: 500 }), "http_status", 500],
  ["a redirect", answers({ body: "", status: 307, headers: { Location: "/" } }), "http_status", 307],
  ["10 MB", answers({ body: "x".repeat(10_000_000) }), "answer_too_large", 200],
])(
  "a try that is answered with %s failed, is recorded and comes again after 5 s with the same id and data",
  async (_name, behaviour, error, httpStatus) => {
    const room = makeRoom();
    const [id = ""] = await insertCard(1);
    merchant.behave(behaviour);
    await room.delivery.runDue();
    expect(await room.history.attemptsOf({ merchantId, callbackId: id })).toMatchObject([
      { attempt: 1, error, httpStatus },
    ]);
    clock.advance(5 * second - 1);
    expect(await room.delivery.runDue()).toBe(0);
    clock.advance(1);
    merchant.behave(approves);
    expect(await room.delivery.runDue()).toBe(1);
    const [first, again] = merchant.received;
    expect(again?.body).toBe(first?.body);
    expect(again?.headers["attempt"]).toBe("2");
    expect(await entryOf(room, id)).toMatchObject({ state: "Delivered", attempts: 2 });
  },
);

test("at most 4 KB of an answer are kept", async () => {
  const room = makeRoom();
  const [id = ""] = await insertCard(1);
  merchant.behave(answers({ body: "é".repeat(5_000) }));
  await room.delivery.runDue();
  const [attempt] = await room.history.attemptsOf({ merchantId, callbackId: id });
  expect(attempt?.answer).toBe("é".repeat(2_048));
});

test("hanging and byte by byte answers end after 5 s and hold up no other merchant", async () => {
  const slow = await startMerchantServer(dribbles);
  merchant.behave(hangs);
  const healthyId = merchantId + 1_000_000;
  const slowId = merchantId + 2_000_000;
  const healthy = await startMerchantServer();
  const servers = new Map([
    [merchantId, merchant],
    [slowId, slow],
    [healthyId, healthy],
  ]);
  const room = makeRoom({ target: (id) => targetAt(servers.get(id)?.url ?? "") });
  const nowMs = clock.now();
  const push = { cardNo: "C1", sequence: 1, nowMs };
  await insertPushes(database, [
    { ...push, merchantId },
    { ...push, merchantId: slowId },
  ]);
  room.delivery.start();
  await expect.poll(() => merchant.received.length + slow.received.length).toBe(2);
  await insertPushes(
    database,
    Array.from({ length: 30 }, (_, i) => ({ ...push, cardNo: `C${i}`, merchantId: healthyId })),
  );
  room.delivery.wake();
  await expect.poll(() => healthy.received.length, { timeout: 4_500 }).toBe(30);
  expect(room.delivery.load().inFlight).toBeGreaterThanOrEqual(2);
  await expect.poll(() => room.delivery.load().inFlight, { timeout: 8_000 }).toBe(0);
  const { rows } = await database.pool.query(
    "SELECT error, duration_ms >= 4999 AS waited FROM callback_attempt WHERE merchant_id = ANY($1)",
    [[merchantId, slowId]],
  );
  expect(rows).toEqual([
    { error: "timeout", waited: true },
    { error: "timeout", waited: true },
  ]);
  await Promise.all([slow.close(), healthy.close()]);
});

test("a push that is never taken is retried on the contract's schedule by the moved clock and given up after 30 days", async () => {
  const room = makeRoom();
  const [id = ""] = await insertCard(1);
  merchant.behave((push, response) => (push.id === id ? answers({ body: "", status: 500 }) : approves)(push, response));
  const startedMs = clock.now();
  const waits: number[] = [];
  for (let tries = 0; tries < 100; tries += 1) {
    // Beside it others arrive, so the endpoint is not one that only fails.
    await insertPushes(database, [{ merchantId, cardNo: "C2", sequence: tries + 1, nowMs: clock.now() }]);
    expect(await room.delivery.runDue()).toBe(2);
    if ((await entryOf(room, id)).state !== "Open") {
      break;
    }
    waits.push((await advanceTo(room, id)) / second);
  }
  expect(waits.slice(0, 10)).toEqual([5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200]);
  expect(await entryOf(room, id)).toMatchObject({
    state: "GivenUp",
    attempts: waits.length + 1,
    lastError: "http_status",
    finishedAtMs: clock.now(),
  });
  expect((await room.history.attemptsOf({ merchantId, callbackId: id })).map(({ attempt }) => attempt)).toEqual(
    Array.from({ length: waits.length + 1 }, (_, i) => waits.length + 1 - i),
  );
  expect((clock.now() - startedMs) / day).toBeGreaterThan(29);
  clock.advance(40 * day);
  expect(await room.delivery.runDue()).toBe(0);
});

test("pushes about one card arrive in order, one at a time", async () => {
  let open = 0;
  let openMax = 0;
  merchant.behave((push, response) => {
    open += 1;
    openMax = Math.max(openMax, open);
    setTimeout(() => {
      open -= 1;
      approves(push, response);
    }, 5);
  });
  const room = makeRoom();
  await insertCard(12);
  expect(await room.delivery.runDue()).toBe(12);
  expect(sequences()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
  expect(openMax).toBe(1);
});

test("two workers keep the order of every card and deliver everything once", async () => {
  const cards = Array.from({ length: 30 }, (_, i) => `C${i}`);
  await insertPushes(
    database,
    cards.flatMap((cardNo) => [1, 2, 3, 4].map((sequence) => ({ merchantId, cardNo, sequence, nowMs: clock.now() }))),
  );
  const workers = [makeRoom(), makeRoom()];
  for (const { delivery } of workers) {
    delivery.start();
  }
  await expect.poll(() => merchant.received.length, { timeout: 10_000 }).toBe(120);
  await Promise.all(workers.map(({ delivery }) => delivery.stop()));
  for (const cardNo of cards) {
    const ofCard = merchant.received.filter(({ data }) => data["card_no"] === cardNo);
    expect(ofCard.map(({ data }) => data["sequence"])).toEqual([1, 2, 3, 4]);
  }
  const { rows } = await database.pool.query(
    "SELECT state, count(*)::integer, count(DISTINCT callback_id)::integer AS ids FROM any_callback GROUP BY state",
  );
  expect(rows).toEqual([{ state: "Delivered", count: 120, ids: 120 }]);
});

test("a later push waits for an earlier one that fails, and follows it as soon as that is delivered", async () => {
  const room = makeRoom();
  const [first = ""] = await insertCard(2);
  merchant.behave(answers({ body: '{"code":1}' }));
  await room.delivery.runDue();
  await advanceTo(room, first);
  await room.delivery.runDue();
  expect(sequences()).toEqual([1, 1]);
  merchant.behave(approves);
  await advanceTo(room, first);
  await room.delivery.runDue();
  expect(sequences()).toEqual([1, 1, 1, 2]);
});

test("a later push waits no longer than 10 minutes after the first failure of the earlier one", async () => {
  const room = makeRoom();
  await insertCard(3);
  merchant.behave((push, response) =>
    (push.data["sequence"] === 1 ? answers({ body: '{"code":1}' }) : approves)(push, response),
  );
  await room.delivery.runDue();
  clock.advance(10 * minute - 1);
  await room.delivery.runDue();
  expect(new Set(sequences())).toEqual(new Set([1]));
  clock.advance(1);
  await room.delivery.runDue();
  expect(sequences().filter((sequence) => sequence !== 1)).toEqual([2, 3]);
});

test("pushes of other cards of the merchant do not wait", async () => {
  const room = makeRoom();
  await insertCard(2, "C-bad");
  await insertCard(2, "C-good");
  merchant.behave((push, response) =>
    (push.data["card_no"] === "C-bad" ? answers({ body: '{"code":1}' }) : approves)(push, response),
  );
  await room.delivery.runDue();
  expect(merchant.received.filter(({ data }) => data["card_no"] === "C-good")).toHaveLength(2);
});

test("a worker that dies between the answer and the write leaves a push that is delivered again after its lease", async () => {
  const room = makeRoom();
  const [id = ""] = await insertCard(2);
  await emptyOutbox(database.pool);
  await database.pool.query("UPDATE callback SET lease_until = $1, attempts = 1 WHERE callback_id = $2", [
    clock.now() + 15 * second,
    id,
  ]);
  expect(await room.delivery.runDue()).toBe(0);
  clock.advance(15 * second);
  expect(await room.delivery.runDue()).toBe(2);
  expect(sequences()).toEqual([1, 2]);
  expect(merchant.received[0]).toMatchObject({ id, headers: { attempt: "2" } });
  expect(await entryOf(room, id)).toMatchObject({ state: "Delivered" });
});

test("a failure that is written after the lease ran out does not undo the delivery of another worker", async () => {
  const slow = makeRoom();
  const [id = ""] = await insertCard(1);
  merchant.behave(hangs);
  const slowRun = slow.delivery.runDue();
  await expect.poll(() => merchant.received.length).toBe(1);
  clock.advance(15 * second);
  merchant.behave(approves);
  expect(await makeRoom().delivery.runDue()).toBe(1);
  await slowRun;
  expect(await entryOf(slow, id)).toMatchObject({ state: "Delivered", attempts: 2 });
});

test("without a callback URL a push stays due without tries, and goes out when there is one", async () => {
  let url: string | null = null;
  const room = makeRoom({ target: () => (url === null ? null : targetAt(url)) });
  const [id = ""] = await insertCard(1);
  await room.delivery.runDue();
  expect(await entryOf(room, id)).toMatchObject({ state: "Open", attempts: 0 });
  expect(await room.history.attemptsOf({ merchantId, callbackId: id })).toEqual([]);
  url = merchant.url;
  clock.advance(30 * second);
  await room.delivery.runDue();
  expect(await entryOf(room, id)).toMatchObject({ state: "Delivered", attempts: 1 });
});

test("a port that throws counts as a failed try and is not the end of the loop", async () => {
  let broken = true;
  const room = makeRoom({
    target: () => {
      if (broken) {
        throw new Error("secret in a message");
      }
      return targetAt(merchant.url);
    },
  });
  const [id = ""] = await insertCard(1);
  await room.delivery.runDue();
  expect(await room.history.attemptsOf({ merchantId, callbackId: id })).toMatchObject([{ error: "internal:Error" }]);
  broken = false;
  clock.advance(5 * second);
  expect(await room.delivery.runDue()).toBe(1);
});

test("stop waits for the try in flight and its result", async () => {
  const room = makeRoom();
  const [id = ""] = await insertCard(1);
  merchant.behave((push, response) => void setTimeout(() => approves(push, response), 200));
  room.delivery.start();
  await expect.poll(() => merchant.received.length).toBe(1);
  await room.delivery.stop();
  expect(await entryOf(room, id)).toMatchObject({ state: "Delivered" });
});

async function insertAboutConsumption(push: { readonly sequence: number; readonly consumeNo: string }): Promise<void> {
  await database.pool.query(
    `INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at)
     VALUES ($1, $2, 'C-late', $3, 'Consumption', $4, '{}', $5, $5)`,
    [merchantId, uuid7(clock.now()), push.sequence, push.consumeNo, clock.now()],
  );
}

async function insertQuestion(consumeNo: string, more: { readonly late: boolean; readonly code: number | null }) {
  await database.pool.query(
    `INSERT INTO merchant_question (merchant_id, consume_no, asked_at, done_ms, http_status, answer_code, verdict, late)
     VALUES ($1, $2, $3, 1012.4, 200, $4, 'timeout', $5)`,
    [merchantId, consumeNo, clock.now(), more.code, more.late],
  );
}

test("the first push about a consumption whose answer came late tells that answer, on every try, and no other push does", async () => {
  await insertQuestion("O-late-yes", { late: true, code: 0 });
  await insertQuestion("O-late-garbage", { late: true, code: null });
  await insertQuestion("O-in-time", { late: false, code: 0 });
  for (const [index, consumeNo] of [
    "O-late-yes",
    "O-late-garbage",
    "O-in-time",
    "O-not-asked",
    "",
    "O-late-yes",
  ].entries()) {
    await insertAboutConsumption({ sequence: index + 1, consumeNo });
  }
  const room = makeRoom();
  merchant.behave((_push, response) => answerJson(response, { code: 1 }));
  await room.delivery.runDue();
  merchant.behave(approves);
  clock.advance(5 * second);
  await room.delivery.runDue();
  const told = merchant.received.map((push) => [push.headers["sequence"], push.headers["late-answer"]]);
  expect(told).toEqual([
    ["1", "code=0; after_ms=1012"],
    ["1", "code=0; after_ms=1012"],
    ["2", undefined],
    ["3", undefined],
    ["4", undefined],
    ["5", undefined],
    ["6", undefined],
  ]);
});
