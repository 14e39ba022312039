import { verifyV1 } from "@cardwright/signing";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { systemClock } from "#kernel/index.ts";
import type { BreakerChange } from "./breaker.ts";
import { createConnections } from "./connections.ts";
import { startMerchantProcess } from "./merchant-process.testing.ts";
import {
  answerJson,
  answers,
  approves,
  type Behaviour,
  dribbles,
  hangs,
  type MerchantServer,
  startMerchantServer,
} from "./merchant-server.testing.ts";
import { createQuestions, type QuestionDeps, type Questions } from "./questions.ts";
import { apiSecret, appId, movableClock, quietLog, targetAt } from "./room.testing.ts";
import type { QuestionAnswer } from "./verdict.ts";

const dataText = '{"consume_no":"O1","amount":12.5,"merchant_info":{"country":"DE","city":"Köln"},"status":"Pending"}';
const clock = movableClock();
let database: TestDatabase;
let merchant: MerchantServer;
let url: string | null;
let questions: Questions;
let deps: () => QuestionDeps;
let closeConnections: () => Promise<void>;
let circuitChanges: BreakerChange[];
let asked = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  merchant = await startMerchantServer();
  url = merchant.url;
  circuitChanges = [];
  const connections = createConnections({ allowPrivateAddresses: true });
  closeConnections = () => connections.close();
  deps = () => ({
    pool: database.pool,
    clock,
    transportClock: systemClock,
    log: quietLog,
    target: () => (url === null ? null : targetAt(url)),
    allowPrivateAddresses: true,
    onBreaker: (change) => circuitChanges.push(change),
    connections,
    questionsOfMerchantMax: 9,
  });
  questions = createQuestions(deps());
});
afterEach(async () => {
  await merchant.close();
  await questions.stop();
  await closeConnections();
});

function ask(consumeNo?: string): Promise<QuestionAnswer> {
  asked += 1;
  return questions.ask({ merchantId: 1, consumeNo: consumeNo ?? `O${asked}`, dataText });
}

async function outcomeOf(): Promise<QuestionAnswer["outcome"]> {
  return (await ask()).outcome;
}

test("the merchant gets the data text unchanged, signed, with the deadline, and its yes is an approval", async () => {
  const answer = await ask();
  expect(answer.outcome).toEqual({ kind: "approved", approvedAmount: null });
  const [push] = merchant.received;
  expect(push?.body).toBe(`{"id":"${push?.id}","action":"Auth","data":${dataText}}`);
  expect(push?.headers).toMatchObject({
    "content-type": "application/json",
    "sign-version": "V1",
    timezone: "UTC+8",
    "deadline-ms": "800",
  });
  const { timestamp, signature } = push?.headers ?? {};
  const verdict = verifyV1({
    appId,
    apiSecret,
    dataText,
    timestamp: String(timestamp),
    signature: String(signature),
    nowMs: systemClock.now(),
  });
  expect(verdict).toEqual({ ok: true });
});

test("an approved amount is handed on exactly", async () => {
  merchant.behave(answers({ body: '{"code":0,"approved_amount":10.5,"unknown":{"code":1}}' }));
  expect(await outcomeOf()).toEqual({ kind: "approved", approvedAmount: "10.50" });
});

test("an approved amount that cannot be read is no approval", async () => {
  merchant.behave(answers({ body: '{"code":0,"approved_amount":{"value":"10.50"}}' }));
  expect(await outcomeOf()).toEqual({ kind: "bad_answer" });
});

test("another code is a decline with its code and reason", async () => {
  merchant.behave(answers({ body: '{"code":5100,"reason":"suspected_fraud","message":"no"}' }));
  expect(await outcomeOf()).toEqual({ kind: "declined", code: 5100, reason: "suspected_fraud" });
});

test.each([
  ["code as the text 0", { body: '{"code":"0"}' }],
  ["no code", { body: '{"message":""}' }],
  ["HTML", { body: "<html>Bad gateway</html>" }],
  ["an array", { body: '[{"code":0}]' }],
  ["nothing", { body: "" }],
  ["code 0 with HTTP 500", { body: '{"code":0}', status: 500 }],
  ["another code with HTTP 500", { body: '{"code":500}', status: 500 }],
  ["a redirect", { body: '{"code":0}', status: 302, headers: { Location: "/elsewhere" } }],
  ["10 MB", { body: `{"code":0,"message":"${"x".repeat(10_000_000)}"}` }],
  ["one byte more than 16 KB", { body: '{"code":0}'.padEnd(16_385) }],
])("an answer of %s is a bad answer and is asked for once only", async (_name, answer) => {
  merchant.behave(answers(answer));
  expect(await outcomeOf()).toEqual({ kind: "bad_answer" });
  expect(merchant.received).toHaveLength(1);
});

test("an answer of exactly 16 KB is read", async () => {
  merchant.behave(answers({ body: '{"code":0}'.padEnd(16_384) }));
  expect(await outcomeOf()).toMatchObject({ kind: "approved" });
});

test("a merchant that hangs up in the middle of its answer gave a bad answer, before it an unreachable one", async () => {
  merchant.behave((_push, response) => {
    response.writeHead(200, { "Content-Length": "100" });
    response.write('{"code":0');
    setTimeout(() => response.destroy(), 20);
  });
  expect(await outcomeOf()).toEqual({ kind: "bad_answer" });
  merchant.behave((_push, response) => response.destroy());
  expect(await outcomeOf()).toEqual({ kind: "unreachable" });
});

test("a merchant that hangs is a timeout, after the deadline and not before", async () => {
  merchant.behave(hangs);
  const startedMs = performance.now();
  expect(await outcomeOf()).toEqual({ kind: "timeout" });
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(799);
});

test("an answer that arrives byte by byte is a timeout, however early it began", async () => {
  merchant.behave(dribbles);
  const answer = await ask();
  expect(answer.outcome).toEqual({ kind: "timeout" });
  expect(answer.timings.firstByteMs).toBeLessThan(800);
});

test("a late yes changes nothing, but is recorded, and the connection is used again", async () => {
  merchant.behave((_push, response) => void setTimeout(() => response.end('{"code":0}'), 1_000));
  const answer = await ask("O-late");
  expect(answer.outcome).toEqual({ kind: "timeout" });
  merchant.behave(approves);
  await expect.poll(() => questions.load().inFlight).toBe(0);
  expect(await outcomeOf()).toMatchObject({ kind: "approved" });
  expect(merchant.received.map((push) => push.connection)).toEqual([1, 1]);
  await questions.stop();
  const { rows } = await database.pool.query("SELECT * FROM merchant_question WHERE consume_no = 'O-late'");
  expect(rows).toMatchObject([{ merchant_id: 1, verdict: "timeout", http_status: 200, answer_code: 0, late: true }]);
  expect(rows[0].done_ms).toBeGreaterThan(800);
  expect(rows[0].parse_ms).toBeGreaterThanOrEqual(rows[0].done_ms);
});

test("a merchant without a server, a URL or a valid URL is unreachable", async () => {
  await merchant.close();
  expect(await ask()).toMatchObject({ outcome: { kind: "unreachable" }, error: "ECONNREFUSED" });
  url = null;
  expect(await ask()).toMatchObject({ outcome: { kind: "unreachable" }, error: "no_callback_url" });
  url = "ftp://example.com";
  expect(await ask()).toMatchObject({ outcome: { kind: "unreachable" }, error: "url_invalid" });
});

test("questions beyond the cap are refused at once while the merchant hangs, and none is left over afterwards", async () => {
  merchant.behave(hangs);
  const outcomes = await Promise.all(Array.from({ length: 14 }, () => outcomeOf()));
  const count = (kind: string): number => outcomes.filter((outcome) => outcome.kind === kind).length;
  expect([count("timeout"), count("busy")]).toEqual([9, 5]);
  await expect.poll(() => questions.load().inFlight, { timeout: 5_000 }).toBe(0);
  merchant.behave(approves);
  expect(await outcomeOf()).toMatchObject({ kind: "approved" });
});

test("every question leaves one row with its verdict and times", async () => {
  await ask("O-yes");
  merchant.behave(answers({ body: '{"code":99999999999}' }));
  await ask("O-no");
  await questions.stop();
  const { rows } = await database.pool.query(
    "SELECT * FROM merchant_question WHERE consume_no IN ('O-yes', 'O-no') ORDER BY consume_no DESC",
  );
  expect(rows).toMatchObject([
    { verdict: "approved", http_status: 200, answer_code: 0, asked_at: BigInt(clock.now()), late: false },
    { verdict: "declined", http_status: 200, answer_code: null, late: false },
  ]);
  const { connect_ms, send_ms, first_byte_ms, done_ms, parse_ms } = rows[0];
  const inOrder = [connect_ms, send_ms, first_byte_ms, done_ms, parse_ms];
  expect(inOrder.toSorted((a, b) => a - b)).toEqual(inOrder);
});

test("ten failures in a row open the circuit: nothing more is sent, and that is recorded and told", async () => {
  merchant.behave((_push, response) => response.destroy());
  for (let i = 0; i < 10; i += 1) {
    expect(await outcomeOf()).toEqual({ kind: "unreachable" });
  }
  expect(circuitChanges).toEqual([{ kind: "opened", merchantId: 1, cause: "failures", waitMs: 5_000 }]);
  merchant.behave(approves);
  expect(await ask("O-open")).toMatchObject({ outcome: { kind: "circuit_open" }, error: "" });
  expect(merchant.received).toHaveLength(10);
  expect(questions.load().inFlight).toBe(0);
  await questions.stop();
  const { rows } = await database.pool.query("SELECT * FROM merchant_question WHERE consume_no = 'O-open'");
  expect(rows).toMatchObject([{ verdict: "circuit_open", connect_ms: null, http_status: null, late: false }]);
});

test("declines, questions that could not be sent and questions beyond the cap do not open the circuit", async () => {
  merchant.behave((_push, response) => void setTimeout(() => answerJson(response, { code: 1 }), 20));
  await Promise.all(Array.from({ length: 30 }, () => ask()));
  url = null;
  for (let i = 0; i < 12; i += 1) {
    expect(await outcomeOf()).toEqual({ kind: "unreachable" });
  }
  url = merchant.url;
  expect(await outcomeOf()).toEqual({ kind: "declined", code: 1, reason: null });
  expect(circuitChanges).toEqual([]);
});

test("a merchant is asked from the thread for failing ones from a failure to the next answer", async () => {
  const others = createQuestions({ ...deps(), questionFailuresMax: 1_000 });
  const inThread: number[] = [];
  const once = async () => {
    const consumeNo = `O-thread-${inThread.length}`;
    return (await others.ask({ merchantId: 1, consumeNo, dataText })).outcome.kind;
  };
  const noted =
    (then: Behaviour): Behaviour =>
    (push, response) => {
      inThread.push(others.load().inThread);
      then(push, response);
    };
  merchant.behave(noted((_push, response) => response.destroy()));
  // Starting the thread takes longer than a question may wait.
  await expect.poll(async () => [await once(), inThread.at(-1)], { timeout: 10_000 }).toEqual(["unreachable", 1]);
  expect(inThread[0]).toBe(0);
  merchant.behave(noted(approves));
  expect([await once(), await once()]).toEqual(["approved", "approved"]);
  expect(inThread.slice(-2)).toEqual([1, 0]);
  await others.stop();
  const { rows } = await database.pool.query(
    "SELECT verdict, count(*)::int FROM merchant_question WHERE consume_no LIKE 'O-thread-%' GROUP BY verdict ORDER BY verdict",
  );
  expect(rows).toEqual([
    { verdict: "approved", count: 2 },
    { verdict: "unreachable", count: inThread.length - 2 },
  ]);
});

test("a question asked in the very turn in which the merchant's server has closed its connections is answered", async () => {
  const separate = await startMerchantProcess();
  url = `http://127.0.0.1:${separate.port}/`;
  const before = await outcomeOf();
  const outcome = await separate.whileReading(() => {
    separate.breakConnections("end");
    return outcomeOf();
  });
  await separate.stop();
  expect([before.kind, outcome.kind]).toEqual(["approved", "approved"]);
});

test("a bug of the asker fails the purchase instead of throwing", async () => {
  expect(await questions.ask({ merchantId: 1, consumeNo: "O-bug", dataText: "not json" })).toMatchObject({
    outcome: { kind: "unreachable" },
    error: "not_askable",
  });
  expect(questions.load().inFlight).toBe(0);
});
