import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type Ended, endAll, ownData, run } from "../support/processes.ts";

vi.setConfig({ testTimeout: 120_000 });

const script = fileURLToPath(new URL("../../scripts/scenarios.ts", import.meta.url));
let db: TestDatabase;
let env: Record<string, string>;

beforeAll(async () => {
  db = await createTestDatabase();
  env = { ...(await ownData()).env, DATABASE_URL: db.url };
});

afterAll(async () => {
  await endAll();
  await db.drop();
});

const scenarios = (...words: readonly string[]): Promise<Ended> => run({ script, words, env }).ended;

test("one scenario is played, told as one line of JSON, and its databases are gone afterwards", async () => {
  const ended = await scenarios("purchase-declined-credit", "--json");
  expect(ended.stderr).toMatch(/^ok +purchase-declined-credit \(credit\) +[0-9]+ ms\n$/u);
  expect(ended.stdout).toMatch(/^\{.*\}\n$/u);
  expect(JSON.parse(ended.stdout)).toEqual({
    passed: 1,
    failed: 0,
    scenarios: [{ name: "purchase-declined-credit", ok: true, ms: expect.any(Number) }],
  });
  expect(ended.code).toBe(0);
  const { rows } = await db.ownerPool.query(
    "SELECT 1 FROM pg_database WHERE datname LIKE 'cardwright\\_scenarios\\_%'",
  );
  expect(rows).toEqual([]);
});

test("verbose shows steps, callbacks and postings, and no secret", async () => {
  const { code, stdout } = await scenarios("purchase-declined-credit", "--verbose");
  expect(code).toBe(0);
  expect(stdout).toMatch(/step 2 of 2: purchase/u);
  expect(stdout).toMatch(/callback {2}Consumption p2 Consumption Pending 952\.38 with Consume_fee 47\.62/u);
  expect(stdout).toMatch(/posting {3}hold O\w+: reserve → reserve \(held\) 961\.90 USD/u);
  expect(stdout).toMatch(/"access_token":"…"/u);
  expect(stdout).toMatch(/1 passed, 0 failed/u);
});

test("the list has every scenario, and words that mean nothing end with 2", async () => {
  const list = await scenarios("--list");
  expect(list.code).toBe(0);
  expect(list.stdout.split("\n").length).toBeGreaterThan(48);
  expect(list.stdout).toMatch(/^hold-expires +credit and authorization +A hold/mu);
  expect(await scenarios("no-such-scenario")).toMatchObject({ code: 2, stderr: expect.stringContaining("--list") });
  expect(await scenarios("--loud")).toMatchObject({ code: 2, stdout: "" });
  expect(await scenarios("--help")).toMatchObject({ code: 0, stdout: expect.stringContaining("DATABASE_URL") });
});
