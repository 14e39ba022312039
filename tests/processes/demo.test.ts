import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { type Ended, endAll, ownData, run, scripts } from "../support/processes.ts";

vi.setConfig({ testTimeout: 60_000 });

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

const demo = (words: readonly string[]): Promise<Ended> => run({ script: scripts.demo, words, env }).ended;

const merchantNo = expect.stringMatching(/^M/u);
const chapter = (declined: object) => ({
  merchantNo,
  cardholderNo: expect.stringMatching(/^U/u),
  cardNo: expect.stringMatching(/^C/u),
  purchase: purchase({ approved: true, reason: "", responseCode: "00", amount: "25.00" }),
  declined: purchase({ approved: false, amount: "500.00", ...declined }),
});
const purchase = (facts: object) => ({
  consumeNo: expect.stringMatching(/^O/u),
  milliseconds: expect.any(Number),
  ...facts,
});

const asTold = {
  ok: true,
  credit: chapter({ reason: "insufficient_credit", responseCode: "51" }),
  authorization: chapter({ reason: "merchant_declined", responseCode: "51" }),
  callbacks: { expected: 8, received: 8, verified: 8, refused: 0, complete: true },
};

test("the demo prints its facts as one line of JSON and nothing else, and can be run again on the same data", async () => {
  const first = await demo(["--json"]);
  expect(first.stdout).toMatch(/^\{.*\}\n$/u);
  expect(JSON.parse(first.stdout)).toEqual(asTold);
  expect(first.code).toBe(0);

  const second = await demo(["--json"]);
  expect(JSON.parse(second.stdout)).toEqual(asTold);
  expect(second.code).toBe(0);
  expect(JSON.parse(second.stdout).credit.merchantNo).not.toBe(JSON.parse(first.stdout).credit.merchantNo);
});

test("the demo fails when one callback gets lost", async () => {
  // What a bug in the outbox would do: the declines are never pushed.
  await db.ownerPool.query(`
    CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER lose BEFORE INSERT ON callback FOR EACH ROW WHEN (NEW.data LIKE '%"status":"Fail"%') EXECUTE FUNCTION lose()`);
  const failed = await demo(["--json"]);
  expect(JSON.parse(failed.stdout)).toMatchObject({
    ok: false,
    callbacks: { received: 6, refused: 0, complete: false },
  });
  expect(failed.code).toBe(1);
});

test("the demo says how it is used", async () => {
  const help = await demo(["--help"]);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toContain("CARDWRIGHT_DATA");
});
