import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { Pool } from "undici";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Exchange, startExchange } from "./exchange.ts";

/**
 * A merchant's server in a thread of its own, so that it goes on while this one is busy: it answers every request with code 0, and
 * on command resets or ends all its connections.
 */
const serverSource = `
const { createServer } = require("node:net");
const { parentPort } = require("node:worker_threads");
const sockets = new Set();
let connections = 0;
let requests = 0;
const server = createServer((socket) => {
  connections += 1;
  sockets.add(socket);
  socket.on("error", () => {});
  socket.on("data", () => {
    requests += 1;
    socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\n{"code":0}');
  });
});
server.listen(0, "127.0.0.1", () => parentPort.postMessage(server.address().port));
parentPort.on("message", (command) => {
  for (const socket of sockets) {
    if (command === "reset") socket.resetAndDestroy();
    if (command === "end") socket.destroy();
  }
  if (command === "count") parentPort.postMessage({ connections, requests });
  else sockets.clear();
});`;

let worker: Worker;
let port: number;
let pool: Pool;

beforeEach(async () => {
  worker = new Worker(serverSource, { eval: true });
  [port] = await once(worker, "message");
  pool = new Pool(`http://127.0.0.1:${port}`, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  await post();
  await sleep(20);
});
afterEach(async () => {
  await pool.destroy();
  await worker.terminate();
});

function post(): Promise<Exchange> {
  const request = { headers: [], body: '{"data":{}}', deadlineMs: 2_000, lateMs: 0, answerBytesMax: 1_000 };
  return startExchange({ dispatcher: pool, path: "/" }, request).outcome;
}

async function counted(): Promise<{ readonly connections: number; readonly requests: number }> {
  worker.postMessage("count");
  const [counts] = await once(worker, "message");
  return counts;
}

/** The server does it, and it reaches this machine, while this thread looks at nothing; then the request is made at once. */
function postAfter(command: "reset" | "end"): Promise<Exchange> {
  worker.postMessage(command);
  const startedMs = performance.now();
  while (performance.now() - startedMs < 100);
  return post();
}

/** Runs in the turn of a received byte, so that what has come beside it is not looked at before the request is written. */
async function whileReading(run: () => Promise<Exchange>): Promise<Exchange> {
  const socket: Socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write("x");
  const exchange = await new Promise<Exchange>((resolve) => socket.once("data", () => resolve(run())));
  socket.destroy();
  return exchange;
}

test("a request for a connection that was reset just before goes out once, on a fresh one", async () => {
  expect(await postAfter("reset")).toMatchObject({ end: "answered", httpStatus: 200 });
  expect(await counted()).toEqual({ connections: 2, requests: 2 });
});

test("a request whose only write was refused goes out once, on a fresh connection", async () => {
  expect(await whileReading(() => postAfter("reset"))).toMatchObject({ end: "answered", httpStatus: 200 });
  expect(await counted()).toMatchObject({ requests: 3 });
});

test("a request for a connection that was ended just before goes out once, on a fresh one", async () => {
  expect(await postAfter("end")).toMatchObject({ end: "answered", httpStatus: 200 });
  expect(await counted()).toEqual({ connections: 2, requests: 2 });
});

test("a request that was written before the connection broke is not sent again: it may have been read", async () => {
  expect(await whileReading(() => postAfter("end"))).toMatchObject({ end: "unreachable", error: "UND_ERR_SOCKET" });
  // The one of the byte that started it and the one that broke; no third.
  expect(await counted()).toMatchObject({ connections: 2 });
});
