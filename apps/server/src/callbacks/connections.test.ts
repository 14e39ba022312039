import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ConnectionOptions, type Connections, createConnections } from "./connections.ts";
import { type Exchange, startExchange } from "./exchange.ts";
import { hangs, type MerchantServer, startMerchantServer } from "./merchant-server.testing.ts";

let merchant: MerchantServer;
let open: Connections[] = [];

beforeEach(async () => {
  merchant = await startMerchantServer();
});
afterEach(async () => {
  await merchant.close();
  await Promise.all(open.map((connections) => connections.close()));
  open = [];
});

function make(options: ConnectionOptions): Connections {
  const connections = createConnections(options);
  open.push(connections);
  return connections;
}

async function post(
  connections: Connections,
  { merchantId, url }: { readonly merchantId: number; readonly url: string },
): Promise<Exchange | string> {
  const connection = connections.to({ merchantId, target: { url } });
  if (!connection.ok) {
    return connection.reason;
  }
  const request = { headers: [], body: '{"id":"1","data":{}}', deadlineMs: 2_000, lateMs: 0, answerBytesMax: 1_000 };
  const exchange = await startExchange(connection.value, request).outcome;
  // A connection takes the next request when this turn of the event loop is over.
  await nextTurn();
  return exchange;
}

test("in production plain http is refused", async () => {
  const connections = make({ allowPrivateAddresses: false });
  expect(await post(connections, { merchantId: 1, url: merchant.url })).toBe("https_required");
});

test("in production no connection is opened to a private address, given as a number or behind a name", async () => {
  const connections = make({ allowPrivateAddresses: false });
  const { port } = new URL(merchant.url);
  const mapped = ["[::ffff:127.0.0.1]", "[::7f00:1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]"];
  for (const host of ["127.0.0.1", "2130706433", "127.1", "0x7f000001", "localhost", "[::1]", ...mapped]) {
    const exchange = await post(connections, { merchantId: 1, url: `https://${host}:${port}/` });
    expect(exchange).toMatchObject({ end: "unreachable", error: "ADDRESS_NOT_PUBLIC" });
  }
  expect(merchant.connections()).toBe(0);
});

test("path and query of the URL reach the merchant, and its connection is kept for the next request", async () => {
  const connections = make({ allowPrivateAddresses: true });
  for (let i = 0; i < 3; i += 1) {
    expect(await post(connections, { merchantId: 1, url: merchant.url })).toMatchObject({
      end: "answered",
      httpStatus: 200,
    });
  }
  expect(merchant.connections()).toBe(1);
  expect(merchant.received[0]?.path).toBe("/callback?from=cardwright");
});

test("a merchant opens no more connections than its bound, and waiting for one counts against the deadline", async () => {
  merchant.behave(hangs);
  const connections = make({ allowPrivateAddresses: true, connectionsOfMerchantMax: 3 });
  const exchanges = await Promise.all(
    Array.from({ length: 9 }, () => post(connections, { merchantId: 1, url: merchant.url })),
  );
  expect(exchanges.map((exchange) => (typeof exchange === "string" ? exchange : exchange.end))).toEqual(
    Array(9).fill("timeout"),
  );
  expect(merchant.received).toHaveLength(3);
});

test("two merchants with the same server do not share connections", async () => {
  const connections = make({ allowPrivateAddresses: true });
  await post(connections, { merchantId: 1, url: merchant.url });
  await post(connections, { merchantId: 2, url: merchant.url });
  expect(merchant.connections()).toBe(2);
});

test("a merchant whose URL changes is reached at the new one at once", async () => {
  const moved = await startMerchantServer();
  const connections = make({ allowPrivateAddresses: true });
  await post(connections, { merchantId: 1, url: merchant.url });
  await post(connections, { merchantId: 1, url: moved.url });
  expect([merchant.received.length, moved.received.length]).toEqual([1, 1]);
  await moved.close();
});

test("a merchant that is being asked finds a connection open, also after its server has closed the one it used", async () => {
  const connections = make({ allowPrivateAddresses: true });
  await post(connections, { merchantId: 1, url: merchant.url });
  connections.keepWarm(1);
  await expect.poll(() => merchant.open(), { timeout: 5_000 }).toBe(2);
  merchant.hangUp();
  await expect.poll(() => merchant.open()).toBe(0);
  // After a pause, since the server itself closed them.
  await expect.poll(() => merchant.open(), { timeout: 15_000 }).toBe(2);
  const opened = merchant.connections();
  const exchanges = await Promise.all([1, 2].map(() => post(connections, { merchantId: 1, url: merchant.url })));
  expect(exchanges).toMatchObject([{ end: "answered" }, { end: "answered" }]);
  expect(merchant.received.slice(1).every((push) => push.connection <= opened)).toBe(true);
}, 25_000);

test("a merchant that only receives pushes keeps no spare connections, and closing leaves none open", async () => {
  const connections = make({ allowPrivateAddresses: true });
  await post(connections, { merchantId: 1, url: merchant.url });
  await post(connections, { merchantId: 2, url: merchant.url });
  connections.keepWarm(2);
  await expect.poll(() => merchant.open(), { timeout: 5_000 }).toBe(3);
  await connections.close();
  await expect.poll(() => merchant.open()).toBe(0);
});

test("only the merchants that were used last are kept warm, and each of them is", async () => {
  const connections = make({ allowPrivateAddresses: true, warmMerchantsMax: 30 });
  const ids = Array.from({ length: 40 }, (_, i) => i + 1);
  for (const merchantId of ids) {
    await post(connections, { merchantId, url: merchant.url });
    connections.keepWarm(merchantId);
  }
  // Forty connections that were used, and a spare one for each of the thirty merchants.
  await expect.poll(() => merchant.connections(), { timeout: 5_000 }).toBe(70);
  // Those that were used are closed after 4 s, and the thirty get a second spare.
  await expect.poll(() => merchant.open(), { timeout: 10_000, interval: 100 }).toBe(60);
}, 20_000);

test("beyond the bound of merchants the least used loses its connections, but not its request in flight", async () => {
  merchant.behave((_push, response) => void setTimeout(() => response.end("{}"), 100));
  const connections = make({ allowPrivateAddresses: true, merchantsMax: 2 });
  const inFlight = post(connections, { merchantId: 1, url: merchant.url });
  await Promise.all([2, 3].map((merchantId) => post(connections, { merchantId, url: merchant.url })));
  expect(await inFlight).toMatchObject({ end: "answered" });
  await post(connections, { merchantId: 3, url: merchant.url });
  expect(merchant.connections()).toBe(3);
  await post(connections, { merchantId: 1, url: merchant.url });
  expect(merchant.connections()).toBe(4);
});
