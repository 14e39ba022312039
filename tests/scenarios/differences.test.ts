import pino from "pino";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { loadScenarios, parseScenario, type Scenario } from "../../apps/server/src/sandbox/index.ts";
import { type Lane, openLane } from "../../scripts/scenarios/lane.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

/** A scenario that does not go as it is written must fail, or it shows nothing. */

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let db: TestDatabase;
let lane: Lane;

beforeAll(async () => {
  db = await createTestDatabase();
  lane = await openLane({ databaseUrl: db.url, log: pino({ level: "silent" }) });
});

afterAll(async () => {
  await lane.stop();
  await db.drop();
});

const script = `
name: scratch
title: A purchase
shows: A purchase.
modes: [credit]
steps:
  - purchase: { as: p1, amount: 100.00 }
    callbacks:
      - { consumption: p1, status: Pending, amount: 100.00, fees: { Consume_fee: 5.00 } }
    balances:
      credit: { available: 895.00, frozen: 105.00 }
      reserve: { available: 9899.00, held: 101.00 }
statement:
  - { of: p1, status: Pending, amount: 100.00, fee: 5.00 }
`;

function scenarioOf(text: string): Scenario {
  const parsed = parseScenario("scratch.yaml", text);
  if (!parsed.ok) throw new Error(parsed.reason.join("\n"));
  return parsed.value;
}

const play = (text: string) => lane.play({ scenario: scenarioOf(text), mode: "credit" });

test("as it is written it passes", async () => {
  expect((await play(script)).differences).toEqual([]);
});

test.each([
  [
    "a balance",
    "available: 895.00",
    "available: 895.01",
    "step 1 (purchase): credit available: expected 895.01, got 895.00",
  ],
  ["the reserve", "held: 101.00", "held: 100.00", "step 1 (purchase): reserve held: expected 100.00, got 101.00"],
  [
    "a fee of the callback",
    "Consume_fee: 5.00",
    "Consume_fee: 5.01",
    "step 1 (purchase): callback 1: fee: expected 5.01, got 5.00",
  ],
  ["a row of the statement", "fee: 5.00 }\n", "fee: 6.00 }\n", "statement: row 1: fee: expected 6.00, got 5.00"],
  [
    "an answer",
    "    callbacks:",
    "    answers: { approved: false }\n    callbacks:",
    "step 1 (purchase): answer's approved: expected false, got true",
  ],
])("%s that differs is told with its step", async (_what, from, to, difference) => {
  expect((await play(script.replace(from, to))).differences).toContain(difference);
});

const withStep = (step: string) => play(script.replace("statement:\n", `${step}\nstatement:\n`));

test.each([
  [
    "a field",
    '  - operate: { method: POST, path: "/reserve-orders/W0/cancel" }\n    answers: { status: 404, body: { error: { code: own_order } } }',
    "step 2 (operate): answer's error code: expected own_order, got reserve_order_unknown",
  ],
  [
    "a list with an entry too many",
    '  - operate: { method: POST, path: "/merchants/{merchant_no}/credentials", body: { label: two, allow_list: ["127.0.0.1", "::1"] } }\n    answers: { status: 201, body: { allow_list: ["127.0.0.1"] } }',
    "step 2 (operate): answer's allow_list: entries: expected 1, got 2",
  ],
  [
    "a part that is to be kept and is not there",
    '  - operate: { method: GET, path: "/reserve-orders?merchant_no={merchant_no}", keep: { order: list.0.order_no } }',
    "step 2 (operate): the answer has no list.0.order_no to keep as order",
  ],
])("%s of an operator's answer that differs is told", async (_what, step, difference) => {
  expect((await withStep(step)).differences.join("\n")).toContain(difference);
});

test("a callback that nobody expected is told", async () => {
  const without = script.replace(/ {4}callbacks:\n.*\n/u, "");
  expect((await play(without)).differences.join("\n")).toContain(
    "an unexpected callback: Consumption p1 Consumption Pending 100.00 with Consume_fee 5.00",
  );
});

test("a ledger that does not add up fails the scenario that was played on it", async () => {
  await db.ownerPool.query("UPDATE ledger.account SET available = available + 1 WHERE kind = 'reserve'");
  const [scenario] = (await loadScenarios()).filter(({ name }) => name === "account-verification");
  if (scenario === undefined) throw new Error("there is no account-verification");
  const played = await lane.play({ scenario, mode: "credit" });
  expect([played.ok, played.differences.join("\n")]).toEqual([false, expect.stringContaining("verify: ")]);
});
