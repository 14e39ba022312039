import { verifyV1 } from "@cardwright/signing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { uuid7 } from "#kernel/index.ts";
import { type Asking, type AskOrder, nothingMore } from "./asking.ts";
import { answerJson, answers, hangs, type MerchantServer, startMerchantServer } from "./merchant-server.testing.ts";
import { apiSecret, appId, targetAt } from "./room.testing.ts";
import { createThreadAsker, type ThreadAsker } from "./thread-asker.ts";
import type { QuestionAnswer } from "./verdict.ts";

const dataText = '{"consume_no":"O1","amount":12.5,"merchant_info":{"country":"DE","city":"Köln"},"status":"Pending"}';
let merchant: MerchantServer;
let asker: ThreadAsker;
let errors: object[];

beforeEach(async () => {
  merchant = await startMerchantServer();
  errors = [];
});
afterEach(async () => {
  await asker.close();
  await merchant.close();
});

/** A thread that is ready; `file` where it is another one than the real one. */
async function start(file?: URL): Promise<void> {
  const log = { warn: () => {}, error: (fields: object) => void errors.push(fields) };
  asker = createThreadAsker({ allowPrivateAddresses: true, log, ...(file !== undefined && { threadFile: file }) });
  await expect.poll(() => asker.isReady(), { timeout: 10_000 }).toBe(true);
}

function ask(changes: Partial<AskOrder> = {}): Asking {
  const nowMs = Date.now();
  const target = targetAt(merchant.url);
  return asker.ask({ merchantId: 1, target, pushId: uuid7(nowMs), dataText, timestampMs: nowMs, ...changes });
}

async function outcomeOf(asking: Asking): Promise<QuestionAnswer["outcome"] | string> {
  const given = await asking.answer;
  return given.ok ? given.value.outcome : given.reason;
}

function signatureVerdict(secret: string) {
  const { timestamp, signature } = merchant.received.at(-1)?.headers ?? {};
  const signed = { timestamp: String(timestamp), signature: String(signature), dataText };
  return verifyV1({ appId, apiSecret: secret, ...signed, nowMs: Date.now() });
}

test("the merchant gets from the thread what it gets otherwise, and its yes and its no come back with their times", async () => {
  await start();
  const asking = ask();
  const given = await asking.answer;
  expect(given).toMatchObject({ value: { outcome: { kind: "approved", approvedAmount: null }, httpStatus: 200 } });
  expect(given.ok && given.value.timings.doneMs).toBeGreaterThan(0);
  const [push] = merchant.received;
  expect(push?.body).toBe(`{"id":"${push?.id}","action":"Auth","data":${dataText}}`);
  expect(push?.headers).toMatchObject({ "sign-version": "V1", timezone: "UTC+8", "deadline-ms": "800" });
  expect(signatureVerdict(apiSecret)).toEqual({ ok: true });
  expect([await asking.over, asker.load()]).toEqual([nothingMore, 0]);
  merchant.behave(answers({ body: '{"code":5100,"reason":"suspected_fraud"}' }));
  expect(await outcomeOf(ask())).toEqual({ kind: "declined", code: 5100, reason: "suspected_fraud" });
});

test("many questions of one turn each get their own answer", async () => {
  await start();
  merchant.behave(({ data }, response) => answerJson(response, { code: 0, approved_amount: data.amount }));
  const amounts = Array.from({ length: 60 }, (_, index) => index + 1);
  const outcomes = await Promise.all(amounts.map((amount) => outcomeOf(ask({ dataText: `{"amount":${amount}}` }))));
  expect(outcomes).toEqual(amounts.map((amount) => ({ kind: "approved", approvedAmount: `${amount}.00` })));
});

test("10 MB and garbage are bad answers, a broken connection is an unreachable merchant", async () => {
  await start();
  merchant.behave(answers({ body: `{"code":0,"message":"${"x".repeat(10_000_000)}"}` }));
  expect(await outcomeOf(ask())).toEqual({ kind: "bad_answer" });
  merchant.behave((_push, response) => void response.socket?.end("garbage\r\n\r\n"));
  expect(await outcomeOf(ask())).toEqual({ kind: "bad_answer" });
  merchant.behave((_push, response) => response.destroy());
  expect(await outcomeOf(ask())).toEqual({ kind: "unreachable" });
});

test("no answer is a timeout after the deadline and not before; a late one is told when it comes, and its connection is used again", async () => {
  await start();
  merchant.behave((_push, response) => void setTimeout(() => response.end('{"code":0}'), 1_000));
  const startedMs = performance.now();
  const late = ask();
  expect(await outcomeOf(late)).toEqual({ kind: "timeout" });
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(799);
  expect(asker.load()).toBe(1);
  expect(await late.over).toMatchObject({ late: true, last: { outcome: { kind: "approved" }, httpStatus: 200 } });
  merchant.behave(hangs);
  const silent = ask();
  expect(await outcomeOf(silent)).toEqual({ kind: "timeout" });
  expect([await silent.over, asker.load()]).toEqual([nothingMore, 0]);
  expect(merchant.received.map(({ connection }) => connection)).toEqual([1, 1]);
});

test("a changed secret and a changed URL count from the next question on", async () => {
  await start();
  expect(await outcomeOf(ask())).toMatchObject({ kind: "approved" });
  const rotated = "another-secret-of-32-characters!";
  expect(await outcomeOf(ask({ target: { ...targetAt(merchant.url), apiSecret: rotated } }))).toMatchObject({
    kind: "approved",
  });
  expect([signatureVerdict(rotated), signatureVerdict(apiSecret).ok]).toEqual([{ ok: true }, false]);
  expect(await outcomeOf(ask({ target: targetAt("ftp://example.com") }))).toBe("url_invalid");
});

test("a bug of the asker refuses the question and is logged, and the next one is asked", async () => {
  await start();
  expect(await outcomeOf(ask({ dataText: "not json" }))).toBe("not_askable");
  expect(errors).toHaveLength(1);
  expect(await outcomeOf(ask())).toMatchObject({ kind: "approved" });
});

/** A thread that says that it is ready, and does that with each order. */
function threadThat(onOrders: string): URL {
  const text = `import { parentPort } from "node:worker_threads";
    parentPort.on("message", (orders) => { if (orders === null) parentPort.close(); else { ${onOrders} } });
    parentPort.postMessage([]);`;
  return new URL(`data:text/javascript,${encodeURIComponent(text)}`);
}

test.each([
  ["that fails", 'throw new TypeError("broken")', [{ error: "TypeError" }]],
  ["that ends", "process.exit(1)", []],
])("a thread %s ends its questions at once, and no other one is started right away", async (_name, does, logged) => {
  await start(threadThat(does));
  const asking = [ask(), ask()];
  expect(await Promise.all(asking.map(outcomeOf))).toEqual(["asker_lost", "asker_lost"]);
  expect(await Promise.all(asking.map(({ over }) => over))).toEqual([nothingMore, nothingMore]);
  expect([asker.load(), asker.isReady(), asker.isReady()]).toEqual([0, false, false]);
  expect(errors).toEqual(logged);
});

test("a thread that stands still is not waited for: the question has timed out, and what it says afterwards is a late answer", async () => {
  const value = { outcome: { kind: "approved", approvedAmount: null }, timings: { doneMs: 700 }, httpStatus: 200 };
  const answer = JSON.stringify({ ok: true, value });
  await start(
    threadThat(
      `setTimeout(() => parentPort.postMessage(orders.map(({ number }) => ({ number, answer: ${answer}, end: { last: null, late: false } }))), 1_000)`,
    ),
  );
  const startedMs = performance.now();
  const asking = ask();
  expect(await outcomeOf(asking)).toEqual({ kind: "timeout" });
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(799);
  expect(await asking.over).toEqual({ last: value, late: true });
});
