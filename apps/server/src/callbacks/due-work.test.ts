import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterEach, beforeEach, expect, test } from "vitest";
import { nextDueOf, runDueInOrder } from "#kernel/index.ts";
import { type Callbacks, createCallbacks } from "./callbacks.ts";
import { answers, approves, type MerchantServer, startMerchantServer } from "./merchant-server.testing.ts";
import { insertPushes, type MovableClock, movableClock, roomOptions, targetAt } from "./room.testing.ts";

const second = 1_000;
const always = (): boolean => true;

let database: TestDatabase;
let merchant: MerchantServer;
let clock: MovableClock;
let room: Callbacks;
let start: number;

beforeEach(async () => {
  database = await createTestDatabase();
  merchant = await startMerchantServer();
  clock = movableClock();
  start = clock.now();
  room = createCallbacks(roomOptions(database, { clock, target: (id) => (id === 1 ? targetAt(merchant.url) : null) }));
});

afterEach(async () => {
  await merchant.close();
  await room.stop();
  await database.drop();
});

const insert = (merchantId: number, sequence = 1) =>
  insertPushes(database, [{ merchantId, cardNo: `C${merchantId}`, sequence, nowMs: clock.now() }]);

test("a push that fails is tried at each of its times when the clock stops there, until it is delivered", async () => {
  await insert(1);
  merchant.behave(answers({ status: 500, body: "" }));
  const triedAt: number[] = [];
  for (let steps = 0; steps < 10; steps += 1) {
    if (steps === 3) merchant.behave(approves);
    const { ran } = await runDueInOrder([room.dueWork], { until: clock.now(), mayGoOn: always });
    if (ran.size > 0) triedAt.push(clock.now() - start);
    const next = await nextDueOf([room.dueWork], clock.now());
    if (next === null) break;
    clock.advance(next - clock.now());
  }
  expect(triedAt).toEqual([0, 5 * second, 35 * second, 155 * second]);
  expect(merchant.received).toHaveLength(4);
});

test("pushes of a merchant without a callback URL, due for ever, neither stop the clock nor are in the way of others", async () => {
  await insert(2);
  await insert(1);
  const run = await runDueInOrder([room.dueWork], { until: clock.now(), mayGoOn: always });
  expect(run.finished).toBe(true);
  expect(merchant.received).toHaveLength(1);
  expect(await nextDueOf([room.dueWork], clock.now())).toBeNull();
});

test("a push that another process is trying is waited for, so that its lease does not end early and it is sent once", async () => {
  await insert(1);
  let answered = false;
  merchant.behave((push, response) => {
    setTimeout(() => {
      answered = true;
      approves(push, response);
    }, 300);
  });
  const other = createCallbacks(roomOptions(database, { clock, target: () => targetAt(merchant.url) }));
  other.delivery.start();
  for (let looks = 0; looks < 500 && merchant.received.length === 0; looks += 1) {
    await sleep(5);
  }
  await runDueInOrder([room.dueWork], { until: clock.now(), mayGoOn: always });
  expect(answered).toBe(true);
  clock.advance(3_600 * second);
  await runDueInOrder([room.dueWork], { until: clock.now(), mayGoOn: always });
  expect(merchant.received).toHaveLength(1);
  await other.stop();
});
