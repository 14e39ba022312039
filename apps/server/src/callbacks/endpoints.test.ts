import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type CallbackOptions, type Callbacks, createCallbacks } from "./callbacks.ts";
import {
  answers,
  approves,
  type Behaviour,
  type MerchantServer,
  startMerchantServer,
} from "./merchant-server.testing.ts";
import { emptyRoom, insertPushes, type MovableClock, movableClock, roomOptions, targetAt } from "./room.testing.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const merchantId = 1;
const fails = answers({ body: "", status: 500 });

let database: TestDatabase;
let merchant: MerchantServer;
let clock: MovableClock;
let rooms: Callbacks[];
let room: Callbacks;
let warnings: { readonly fields: object; readonly message: string }[];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  await emptyRoom(database);
  merchant = await startMerchantServer();
  clock = movableClock();
  rooms = [];
  warnings = [];
  room = makeRoom();
});
afterEach(async () => {
  await merchant.close();
  await Promise.all(rooms.map((each) => each.stop()));
});

function makeRoom(ports: Partial<CallbackOptions> = {}): Callbacks {
  const log = {
    warn: (fields: object, message: string) => void warnings.push({ fields, message }),
    error: (fields: object, message: string) => void warnings.push({ fields, message }),
  };
  const made = createCallbacks(roomOptions(database, { clock, log, target: () => targetAt(merchant.url), ...ports }));
  rooms.push(made);
  return made;
}

let cards = 0;
async function insert(count = 1, of = merchantId): Promise<string[]> {
  return insertPushes(
    database,
    Array.from({ length: count }, () => ({
      merchantId: of,
      cardNo: `C${(cards += 1)}`,
      sequence: 1,
      nowMs: clock.now(),
    })),
  );
}

async function eventsOf(of = merchantId) {
  const events = await room.events.list({ merchantId: of, page: 0, size: 50 });
  return events.map(({ kind, detail }) => ({ kind, ...detail })).toReversed();
}

/** Lets retries come due until a moment has passed. */
async function runFor(ms: number, step: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += step) {
    clock.advance(Math.min(step, ms - passed));
    await room.delivery.runDue();
  }
}

const asksForPatience =
  (retryAfter: string | null, status = 429): Behaviour =>
  (push, response) =>
    answers({ body: "", status, ...(retryAfter === null ? {} : { headers: { "Retry-After": retryAfter } }) })(
      push,
      response,
    );

test("an endpoint that has only failed for 5 days is paused, with an event and a line in the log, and nothing is tried any more", async () => {
  merchant.behave(fails);
  await insert();
  await room.delivery.runDue();
  await runFor(5 * day - hour, hour);
  expect(await room.endpoints.stateOf(merchantId)).toMatchObject({
    state: "Active",
    failingSinceMs: movableClock().now(),
  });
  await runFor(13 * hour, hour);
  expect(await room.endpoints.stateOf(merchantId)).toMatchObject({
    state: "Paused",
    pausedBy: "failures",
    failingSinceMs: movableClock().now(),
    openCount: 1,
    openCountIsExact: true,
  });
  expect((await eventsOf()).filter(({ kind }) => kind !== "circuit_opened")).toEqual([
    { kind: "callbacks_paused", by: "failures", failing_since: movableClock().now() },
  ]);
  expect(warnings.map(({ message }) => message)).toEqual([
    "deliveries to an endpoint are paused: it has only failed for 5 days",
  ]);
  const tries = merchant.received.length;
  merchant.behave(approves);
  await insert();
  clock.advance(40 * day);
  expect(await room.delivery.runDue()).toBe(0);
  expect(await room.dueWork.nextDueAt(-1)).toBeNull();
  expect(merchant.received).toHaveLength(tries);
});

test("one success within the 5 days is enough to begin them anew, also when another worker had it", async () => {
  const other = makeRoom();
  merchant.behave(fails);
  const [failing] = await insert();
  await room.delivery.runDue();
  await runFor(4 * day, 6 * hour);
  merchant.behave((push, response) => (push.id === failing ? fails : approves)(push, response));
  clock.advance(minute);
  await insert();
  await other.delivery.runDue();
  const successAtMs = clock.now();
  expect(await room.endpoints.stateOf(merchantId)).toMatchObject({
    failingSinceMs: null,
    lastSuccessAtMs: successAtMs,
  });
  await runFor(4 * day, 6 * hour);
  expect(await room.endpoints.stateOf(merchantId)).toMatchObject({ state: "Active" });
});

async function pauseByFailures(): Promise<string[]> {
  merchant.behave(fails);
  const ids = await insert();
  await room.delivery.runDue();
  clock.advance(5 * day);
  await room.delivery.runDue();
  expect(await room.endpoints.stateOf(merchantId)).toMatchObject({ state: "Paused", pausedBy: "failures" });
  return [...ids, ...(await insert())];
}

test("a test push that is taken resumes it: what waited is due at once, with 30 days before it", async () => {
  const ids = await pauseByFailures();
  expect(await room.endpoints.sendTest({ merchantId })).toMatchObject({
    ok: true,
    value: { delivered: false, httpStatus: 500, error: "http_status", resumed: false },
  });
  clock.advance(60 * day);
  merchant.behave(approves);
  merchant.received.length = 0;
  expect(await room.endpoints.sendTest({ merchantId })).toEqual({
    ok: true,
    value: {
      delivered: true,
      httpStatus: 200,
      error: "",
      answer: '{"code":0,"message":""}',
      durationMs: expect.any(Number),
      resumed: true,
    },
  });
  const [push] = merchant.received;
  expect(push?.headers).toMatchObject({ "test-push": "true", "sign-version": "V1" });
  expect(push?.headers).not.toHaveProperty("sequence");
  expect(push?.data).toEqual({
    card_no: "C000000TEST",
    before_status: "Activated",
    after_status: "Activated",
    reason: "test",
    time: clock.now(),
  });
  expect(await room.endpoints.stateOf(merchantId)).toMatchObject({
    state: "Active",
    pausedBy: "",
    pausedAtMs: null,
    failingSinceMs: null,
  });
  expect((await eventsOf()).at(-1)).toEqual({ kind: "callbacks_resumed", paused_by: "failures", cause: "test_push" });
  merchant.behave(fails);
  await room.delivery.runDue();
  const [first = ""] = ids;
  expect(await room.history.find({ merchantId, callbackId: first })).toMatchObject({
    state: "Open",
    firstFailedAtMs: clock.now(),
  });
  merchant.behave(approves);
  clock.advance(minute);
  await room.delivery.runDue();
  expect(await room.history.list({ merchantId, state: "Delivered" })).toHaveLength(2);
});

test("a pause by hand is not ended by a test push but by resuming, and each is an event once", async () => {
  expect(await room.endpoints.pause({ merchantId, by: "merchant" })).toMatchObject({
    state: "Paused",
    pausedBy: "merchant",
    pausedAtMs: clock.now(),
  });
  await room.endpoints.pause({ merchantId, by: "operator" });
  await insert(3);
  expect(await room.delivery.runDue()).toBe(0);
  expect(await room.endpoints.sendTest({ merchantId })).toMatchObject({ value: { delivered: true, resumed: false } });
  expect(await room.endpoints.stateOf(merchantId)).toMatchObject({
    state: "Paused",
    pausedBy: "merchant",
    openCount: 3,
  });
  expect(await room.endpoints.resume({ merchantId })).toMatchObject({ state: "Active", pausedBy: "" });
  await room.endpoints.resume({ merchantId });
  expect(await room.delivery.runDue()).toBe(3);
  expect(await eventsOf()).toEqual([
    { kind: "callbacks_paused", by: "merchant" },
    { kind: "callbacks_resumed", paused_by: "merchant", cause: "by_hand" },
  ]);
});

test("a test push is about the newest card, and a merchant without a URL cannot be sent one", async () => {
  const withCard = makeRoom({ newestCardOf: async () => "C202605220001" });
  await withCard.endpoints.sendTest({ merchantId });
  expect(merchant.received[0]?.data["card_no"]).toBe("C202605220001");
  const without = makeRoom({ target: () => null });
  expect(await without.endpoints.sendTest({ merchantId })).toEqual({ ok: false, reason: "no_callback_url" });
});

test.each([
  ["429 with seconds", asksForPatience("30"), 30 * second],
  ["503 with seconds", asksForPatience("30", 503), 30 * second],
  ["429 that says nothing", asksForPatience(null), 10 * second],
])(
  "%s is no failure: the whole endpoint is left alone for so long, by every worker, and then all goes on",
  async (_name, behaviour, waitMs) => {
    merchant.behave(behaviour);
    const [first = ""] = await insert();
    await room.delivery.runDue();
    expect(await room.history.find({ merchantId, callbackId: first })).toMatchObject({
      state: "Open",
      firstFailedAtMs: null,
      dueAtMs: clock.now() + waitMs,
      lastError: "asks_for_patience",
    });
    expect(await room.history.attemptsOf({ merchantId, callbackId: first })).toMatchObject([
      { attempt: 1, error: "asks_for_patience" },
    ]);
    merchant.behave(approves);
    await insert(5);
    clock.advance(waitMs - 1);
    expect(await room.delivery.runDue()).toBe(0);
    expect(await makeRoom().delivery.runDue()).toBe(0);
    clock.advance(1);
    expect(await makeRoom().delivery.runDue()).toBe(6);
    expect(await room.endpoints.stateOf(merchantId)).toMatchObject({ failingSinceMs: null, lastFailureAtMs: null });
  },
);

test("503 without Retry-After is a failure like any other", async () => {
  merchant.behave(asksForPatience(null, 503));
  const [id = ""] = await insert();
  await room.delivery.runDue();
  expect(await room.history.find({ merchantId, callbackId: id })).toMatchObject({ firstFailedAtMs: clock.now() });
});

test("an endpoint that asks for patience and takes nothing for 5 days is failing from then on", async () => {
  merchant.behave(asksForPatience("3600"));
  const [id = ""] = await insert();
  await room.delivery.runDue();
  await runFor(5 * day - hour, hour);
  const entry = () => room.history.find({ merchantId, callbackId: id });
  expect(await entry()).toMatchObject({ firstFailedAtMs: null });
  await runFor(2 * hour, hour);
  expect((await entry())?.firstFailedAtMs).not.toBeNull();
});

test("ten failures in a row open the circuit: one probe at a time, and what is not sent has not failed", async () => {
  merchant.behave(fails);
  await insert(40);
  await room.delivery.runDue();
  const sentFirst = merchant.received.length;
  // Those under way when the tenth failed have been sent as well.
  expect(sentFirst).toBeGreaterThanOrEqual(10);
  expect(sentFirst).toBeLessThanOrEqual(18);
  const untried = async () => {
    const entries = await room.history.list({ merchantId, state: "Open" });
    return entries.filter(({ attempts, firstFailedAtMs }) => attempts === 0 && firstFailedAtMs === null).length;
  };
  expect(await untried()).toBe(40 - sentFirst);
  clock.advance(4 * second);
  expect(await room.delivery.runDue()).toBe(0);
  clock.advance(second);
  expect(await room.delivery.runDue()).toBe(1);
  clock.advance(9 * second);
  expect(await room.delivery.runDue()).toBe(0);
  merchant.behave(approves);
  clock.advance(minute);
  expect(await room.delivery.runDue()).toBe(40);
  const events = await eventsOf();
  expect(events).toEqual([
    { kind: "circuit_opened", about: "deliveries", cause: "failures", wait_ms: 5_000 },
    { kind: "circuit_opened", about: "deliveries", cause: "probe", wait_ms: 10_000 },
    { kind: "circuit_closed", about: "deliveries", open_ms: 74_000 },
  ]);
});

test("what a circuit held back goes to another URL as soon as the merchant has one, and so does what waited for a URL", async () => {
  const next = await startMerchantServer();
  let url: string | null = merchant.url;
  const moving = makeRoom({ target: () => (url === null ? null : targetAt(url)) });
  const move = (to: string | null): void => {
    url = to;
    moving.targetChanged(merchantId);
  };
  try {
    merchant.behave(fails);
    await insert(40);
    await moving.delivery.runDue();
    const held = 40 - merchant.received.length;
    expect(await moving.delivery.runDue()).toBe(0);
    move(next.url);
    expect(await moving.delivery.runDue()).toBe(held);
    expect(next.received).toHaveLength(held);

    move(null);
    await insert();
    expect(await moving.delivery.runDue()).toBe(0);
    move(next.url);
    expect(await moving.delivery.runDue()).toBe(1);
  } finally {
    await next.close();
  }
});

test("a push that has just read that there is no URL holds nothing back when one was set meanwhile", async () => {
  const [begun, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let reads = 0;
  const moving = makeRoom({
    target: async () => {
      reads += 1;
      if (reads > 1) {
        return targetAt(merchant.url);
      }
      begun.resolve();
      await answered.promise;
      return null;
    },
  });
  await insert();
  const first = moving.delivery.runDue();
  await begun.promise;
  moving.targetChanged(merchantId);
  answered.resolve();
  expect((await first) + (await moving.delivery.runDue())).toBe(1);
  expect(merchant.received).toHaveLength(1);
});

test("a merchant that failed for a day gets its backlog in the order of each card when it is back, and its neighbour waits for nothing", async () => {
  const neighbour = await startMerchantServer();
  const two = makeRoom({ target: (id) => targetAt(id === merchantId ? merchant.url : neighbour.url) });
  merchant.behave(fails);
  const cardsOf = Array.from({ length: 20 }, (_, card) => card);
  await insertPushes(
    database,
    cardsOf.flatMap((card) =>
      [1, 2, 3, 4, 5].map((sequence) => ({ merchantId, cardNo: `B${card}`, sequence, nowMs: clock.now() })),
    ),
  );
  for (let hours = 0; hours < 24; hours += 1) {
    clock.advance(hour);
    await insert(2, 2);
    await two.delivery.runDue();
  }
  expect(neighbour.received).toHaveLength(48);
  merchant.behave(approves);
  merchant.received.length = 0;
  clock.advance(12 * hour);
  await two.delivery.runDue();
  for (const card of cardsOf) {
    const arrived = merchant.received.filter(({ data }) => data["card_no"] === `B${card}`);
    expect(arrived.map(({ data }) => data["sequence"])).toEqual([1, 2, 3, 4, 5]);
  }
  await neighbour.close();
});
