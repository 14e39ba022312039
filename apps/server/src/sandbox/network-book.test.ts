import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ok } from "#kernel/index.ts";
import { createSettlement } from "#settlement/index.ts";
import { createMovableClock, type MovableClock } from "./clock.ts";
import { recordSent, type SentMessage } from "./network-book.ts";
import { sandboxPath } from "./sandbox-call.ts";
import { settlementRoute } from "./settlement-route.ts";

/** The network's own book and the file it makes of a day, fetched and imported as an operator does. */

const networkToken = "token-of-the-sandbox-network-0123456789";
const startOfTest = Date.UTC(2026, 4, 22, 23);
const hourMs = 3_600_000;
let database: TestDatabase;
let clock: MovableClock;
let api: FastifyInstance;
let origin: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const onError = () => {};
  clock = await createMovableClock({ pool: database.pool, onError, real: { now: () => startOfTest } });
  api = Fastify();
  const { pool } = database;
  await api.register(
    (app, _options, done) => {
      settlementRoute(app, { pool, clock, networkToken });
      done();
    },
    { prefix: sandboxPath },
  );
  origin = await api.listen({ host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await api.close();
  await clock.stop();
  await database.drop();
});

const sent = (more: Partial<SentMessage> & Pick<SentMessage, "networkReference">): SentMessage => ({
  originalReference: "auth-1",
  merchantId: 1,
  kind: "clearing",
  lastFour: "4242",
  amount: 1_250n,
  currency: "USD",
  settledUsd: 1_250n,
  at: startOfTest,
  ...more,
});

async function fetchFile(day: string, token = networkToken) {
  const response = await fetch(`${origin}/sandbox/v1/settlement/${day}`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}

test("the day's file is there when the day is over, has what was sent on it, and is imported without a difference", async () => {
  const messages = [
    sent({ networkReference: "n-1" }),
    sent({ networkReference: "n-2", merchantId: 2, amount: 1_500n, currency: "JPY", settledUsd: 960n }),
    sent({ networkReference: "n-3", kind: "refund", settledUsd: -1_250n }),
    sent({ networkReference: "n-tomorrow", at: startOfTest + hourMs }),
  ];
  for (const message of [...messages, sent({ networkReference: "n-1", settledUsd: 1n })]) {
    await recordSent(database.pool, message);
  }
  expect(await fetchFile("2026-05-22")).toMatchObject({ status: 409, text: expect.stringContaining("day_not_over") });

  await clock.advance(hourMs);
  const file = await fetchFile("2026-05-22");
  expect(file).toEqual({
    status: 200,
    type: "text/csv; charset=utf-8",
    text: [
      "H,cardwright-settlement-1,sandbox-2026-05-22,sandbox,2026-05-22,USD,3",
      "D,n-1,auth-1,clearing,4242,12.50,USD,12.50,2026-05-22T23:00:00.000Z",
      "D,n-3,auth-1,refund,4242,12.50,USD,-12.50,2026-05-22T23:00:00.000Z",
      "D,n-2,auth-1,clearing,4242,1500,JPY,9.60,2026-05-22T23:00:00.000Z",
      "T,3,22.10,-12.50,9.60",
      "",
    ].join("\n"),
  });
  expect(await fetchFile("2026-05-22")).toEqual(file);

  for (const { merchantId, networkReference, settledUsd, at } of messages) {
    await database.pool.query(
      `INSERT INTO network_message (merchant_id, network_reference, kind, content_hash, card_no, settled_amount, effect, at)
       VALUES ($1, $2, 'clearing', '\\x00', 'C1', $3, 'cleared', $4)`,
      [merchantId, networkReference, settledUsd, at],
    );
  }
  const settlement = createSettlement({ pool: database.pool, clock });
  const source = (async function* () {
    yield Buffer.from(file.text);
  })();
  expect(await settlement.importFile(source, { by: { actor: "operator" } })).toMatchObject(
    ok({ repeat: false, file: { state: "imported", matched: 3, openItems: 0 } }),
  );
});

test("a day's file of many pages has every message once", async () => {
  const at = startOfTest - 5 * 24 * hourMs;
  await database.pool.query(
    `INSERT INTO sandbox_network_book (merchant_id, network_reference, original_reference, kind, last_four, amount, currency, settled_amount, at)
     SELECT 1 + i % 3, 'p-' || i, '', 'clearing', '4242', 100, 'USD', 100, $1::bigint + i / 100 FROM generate_series(1, 4000) AS i`,
    [at],
  );
  const { text } = await fetchFile("2026-05-17");
  const lines = text.trimEnd().split("\n");
  expect(new Set(lines).size).toBe(4_002);
  expect(lines.at(-1)).toBe("T,4000,4000.00,0.00,4000.00");
});

test("the file is for who has the network's token, and for days that exist", async () => {
  expect(await fetchFile("2026-05-22", "a token of somebody else 01234")).toMatchObject({ status: 401 });
  for (const day of ["2026-02-30", "yesterday", "2026-5-22"]) {
    expect(await fetchFile(day)).toMatchObject({ status: 404 });
  }
  // A day without any transaction has a file too.
  expect(await fetchFile("2026-05-01")).toMatchObject({ status: 200, text: expect.stringMatching(/,0\nT,0,0.00,/u) });
});
