import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { systemClock } from "#kernel/index.ts";
import { type Callbacks, createCallbacks } from "./callbacks.ts";
import { type MerchantServer, startMerchantServer } from "./merchant-server.testing.ts";
import { roomOptions, targetAt } from "./room.testing.ts";
import type { QuestionOutcome } from "./verdict.ts";

const dataText = '{"consume_no":"O1","amount":12.5,"status":"Pending"}';
const yes = '{"code":0}';
const answer = (body: string, head = ""): string =>
  `HTTP/1.1 200 OK\r\n${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

/** A server below HTTP: it is given each connection, and whatever arrives on it. */
interface RawServer {
  readonly url: string;
  /** Bytes that left it, or wait in it to leave. */
  bytesSent(): number;
  close(): Promise<void>;
}

type Unruly = (socket: Socket, received: () => Promise<unknown>) => void | Promise<void>;

async function startRawServer(unruly: Unruly): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    void unruly(socket, () => once(socket, "data"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("the server does not listen on a port");
  }
  return {
    url: `http://127.0.0.1:${address.port}/callback`,
    bytesSent: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, 0),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

/** Answers every question of a connection with the same bytes. */
const says =
  (bytes: string): Unruly =>
  (socket) =>
    void socket.on("data", () => socket.write(bytes));

/** Goes on sending as fast as it is taken, until the connection ends. */
function pour(socket: Socket, piece: Buffer): void {
  const more = (): void => {
    while (!socket.destroyed && socket.write(piece));
  };
  socket.on("drain", more);
  more();
}

const unrulyMerchants: Readonly<Record<string, readonly [Unruly, QuestionOutcome["kind"]]>> = {
  "reads and never answers": [(socket) => void socket.resume(), "timeout"],
  "accepts and never reads": [(socket) => void socket.pause(), "timeout"],
  "answers byte by byte": [
    async (socket, received) => {
      await received();
      for (const byte of answer(yes, `X-Padding: ${"x".repeat(200)}\r\n`)) {
        socket.write(byte);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    "timeout",
  ],
  "sends status 102 without end": [
    async (socket, received) => {
      await received();
      const timer = setInterval(() => socket.write("HTTP/1.1 102 Processing\r\n\r\n"), 20);
      socket.on("close", () => clearInterval(timer));
    },
    "timeout",
  ],
  "promises a longer body than it sends": [says("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + yes), "timeout"],
  "sends garbage": [says("\u0000\u0001\u00ff garbage \r\n\r\n"), "bad_answer"],
  "speaks another protocol": [says("SSH-2.0-OpenSSH_9.9\r\n"), "bad_answer"],
  "answers without headers": [says(yes), "bad_answer"],
  "sends a body of 10 MB": [says(answer(`{"code":0,"message":"${"x".repeat(10_000_000)}"}`)), "bad_answer"],
  "sends a body without end": [
    async (socket, received) => {
      await received();
      socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      pour(socket, Buffer.from(`10000\r\n${"x".repeat(0x1_0000)}\r\n`));
    },
    "bad_answer",
  ],
  "sends headers without end": [
    async (socket, received) => {
      await received();
      socket.write("HTTP/1.1 200 OK\r\n");
      pour(socket, Buffer.from(`X-More: ${"x".repeat(1_000)}\r\n`));
    },
    "bad_answer",
  ],
  "sends a chunk size that is none": [
    says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"),
    "bad_answer",
  ],
  "says twice how long its answer is": [says(answer(yes, "Content-Length: 9\r\n")), "bad_answer"],
  "says its length and sends chunks": [
    says(`HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\na\r\n${yes}\r\n0\r\n\r\n`),
    "bad_answer",
  ],
  "compresses what nobody asked it to": [
    says(answer("\u001f\u008b\u0008", "Content-Encoding: gzip\r\n")),
    "bad_answer",
  ],
  "answers 204": [says("HTTP/1.1 204 No Content\r\n\r\n"), "bad_answer"],
  "switches protocols": [
    says("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
    "bad_answer",
  ],
  "continues what did not ask to be continued": [says(`HTTP/1.1 100 Continue\r\n\r\n${answer(yes)}`), "bad_answer"],
  "resets the connection before it answers": [
    async (socket, received) => {
      await received();
      socket.resetAndDestroy();
    },
    "unreachable",
  ],
  "resets the connection when it is made": [(socket) => void socket.resetAndDestroy(), "unreachable"],
  "resets the connection in its answer": [
    async (socket, received) => {
      await received();
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"code":0,', () =>
        setTimeout(() => socket.resetAndDestroy(), 20),
      );
    },
    "bad_answer",
  ],
  "hints before it answers": [says(`HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${answer(yes)}`), "approved"],
  "speaks HTTP/1.0 and hangs up": [
    (socket) => void socket.on("data", () => socket.end(`HTTP/1.0 200 OK\r\n\r\n${yes}`)),
    "approved",
  ],
  "says no and, unasked, yes to the next": [says(answer('{"code":51}') + answer(yes)), "declined"],
};

let database: TestDatabase;
let room: Callbacks;
let urls: Map<number, string>;
let servers: RawServer[];
let healthy: MerchantServer;
const healthyId = 1;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

beforeEach(async () => {
  servers = [];
  healthy = await startMerchantServer();
  urls = new Map([[healthyId, healthy.url]]);
  room = createCallbacks(
    roomOptions(database, { clock: systemClock, target: (merchantId) => targetAt(urls.get(merchantId) ?? "") }),
  );
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await healthy.close();
  await room.stop();
});

async function join(merchantId: number, unruly: Unruly): Promise<RawServer> {
  const server = await startRawServer(unruly);
  servers.push(server);
  urls.set(merchantId, server.url);
  return server;
}

let asked = 0;
async function kindOf(merchantId: number): Promise<QuestionOutcome["kind"]> {
  asked += 1;
  const { outcome } = await room.askMerchant({ merchantId, consumeNo: `O${asked}`, dataText });
  return outcome.kind;
}

/** Questions one after the other in ten lines, for as long as others are being asked. */
async function askHealthyDuring(others: Promise<unknown>): Promise<string[]> {
  const kinds: string[] = [];
  const over = new AbortController();
  const ended = others.finally(() => over.abort());
  const lines = Array.from({ length: 10 }, async () => {
    do {
      kinds.push(await kindOf(healthyId));
      // One that is not asked is answered at once: without this turn the others would never get theirs.
      await nextTurn();
    } while (!over.signal.aborted);
  });
  await Promise.all([ended, ...lines]);
  return kinds;
}

test("each unruly merchant gets its own outcome, every time, and a healthy one beside them all its answers", async () => {
  const cases = Object.entries(unrulyMerchants).map(([name, [unruly, expected]], index) => ({
    name,
    unruly,
    expected,
    merchantId: index + 2,
  }));
  const started = await Promise.all(cases.map((each) => join(each.merchantId, each.unruly)));
  const seen = new Map<string, string[]>();
  const unrulyAsked = Promise.all(
    cases.map(async ({ name, merchantId }) => {
      // Two at once, and a third on what they leave behind; fewer than would open the circuit.
      const kinds = await Promise.all([kindOf(merchantId), kindOf(merchantId)]);
      seen.set(name, [...kinds, await kindOf(merchantId)]);
    }),
  );
  const healthyKinds = await askHealthyDuring(unrulyAsked);
  expect(Object.fromEntries(seen)).toEqual(
    Object.fromEntries(cases.map(({ name, expected }) => [name, [expected, expected, expected]])),
  );
  expect(healthyKinds.filter((kind) => kind !== "approved")).toEqual([]);
  expect(healthyKinds.length).toBeGreaterThanOrEqual(20);
  // What the buffers of the two kernels take, and not the rest of an endless answer.
  for (const [index, { name }] of cases.entries()) {
    expect([name, (started[index]?.bytesSent() ?? 0) < 48_000_000]).toEqual([name, true]);
  }
}, 30_000);

test("a merchant that refuses connections is unreachable at once, and its circuit opens without touching its neighbour", async () => {
  const gone = await startRawServer(() => {});
  await gone.close();
  urls.set(2, gone.url);
  const kinds: string[] = [];
  const refused = (async () => {
    for (let i = 0; i < 12; i += 1) kinds.push(await kindOf(2));
  })();
  const healthyKinds = await askHealthyDuring(refused);
  expect(kinds).toEqual([...Array<string>(10).fill("unreachable"), "circuit_open", "circuit_open"]);
  expect(new Set(healthyKinds)).toEqual(new Set(["approved"]));
});

test("a merchant whose circuit is open is asked again as soon as its server is another one", async () => {
  const gone = await startRawServer(() => {});
  await gone.close();
  urls.set(2, gone.url);
  for (let i = 0; i < 10; i += 1) await kindOf(2);
  expect(await kindOf(2)).toBe("circuit_open");
  await join(2, says(answer(yes)));
  expect(await kindOf(2)).toBe("circuit_open");
  room.targetChanged(2);
  expect([await kindOf(2), await kindOf(2)]).toEqual(["approved", "approved"]);
});

test("500 questions that hang at one merchant leave the healthy one all its answers", async () => {
  await join(2, (socket) => void socket.resume());
  const hanging = Promise.all(Array.from({ length: 500 }, () => kindOf(2)));
  const healthyKinds = await askHealthyDuring(hanging);
  expect(new Set(await hanging)).toEqual(new Set(["timeout"]));
  expect(healthyKinds.filter((kind) => kind !== "approved")).toEqual([]);
}, 30_000);

test("a redirect is not followed", async () => {
  const elsewhere = await startMerchantServer();
  await join(2, says(answer(yes).replace("200 OK", `307 Temporary Redirect\r\nLocation: ${elsewhere.url}`)));
  expect(await kindOf(2)).toBe("bad_answer");
  expect(elsewhere.connections()).toBe(0);
  await elsewhere.close();
});
