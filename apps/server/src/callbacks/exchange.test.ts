import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Exchange, startExchange } from "./exchange.ts";
import { type MerchantProcess, startMerchantProcess } from "./merchant-process.testing.ts";

let merchant: MerchantProcess;
let pool: Pool;

beforeEach(async () => {
  merchant = await startMerchantProcess();
  pool = new Pool(`http://127.0.0.1:${merchant.port}`, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  await post();
  await sleep(20);
});
afterEach(async () => {
  await pool.destroy();
  await merchant.stop();
});

function post(): Promise<Exchange> {
  const request = { headers: [], body: '{"data":{}}', deadlineMs: 2_000, lateMs: 0, answerBytesMax: 1_000 };
  return startExchange({ dispatcher: pool, path: "/" }, request).outcome;
}

function postAfter(how: "reset" | "end"): Promise<Exchange> {
  merchant.breakConnections(how);
  return post();
}

test("a request for a connection that was reset just before goes out once, on a fresh one", async () => {
  expect(await postAfter("reset")).toMatchObject({ end: "answered", httpStatus: 200 });
  expect(await merchant.counted()).toEqual({ connections: 2, requests: 2 });
});

test("a request whose only write was refused goes out once, on a fresh connection", async () => {
  const exchange = await merchant.whileReading(() => postAfter("reset"));
  expect(exchange).toMatchObject({ end: "answered", httpStatus: 200 });
  expect(await merchant.counted()).toEqual({ connections: 3, requests: 3 });
});

test("a request for a connection that was ended just before goes out once, on a fresh one", async () => {
  expect(await postAfter("end")).toMatchObject({ end: "answered", httpStatus: 200 });
  expect(await merchant.counted()).toEqual({ connections: 2, requests: 2 });
});

test("a request that was written before the connection broke is not sent again: it may have been read", async () => {
  const exchange = await merchant.whileReading(() => postAfter("end"));
  expect(exchange).toMatchObject({ end: "unreachable", error: "UND_ERR_SOCKET" });
  // Those of the first request and of the byte in whose turn it happened.
  expect(await merchant.counted()).toMatchObject({ connections: 2 });
});
