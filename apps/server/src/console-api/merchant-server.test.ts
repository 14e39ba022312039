import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Merchants } from "#merchants/index.ts";
import { operatorApi } from "./index.ts";
import { operatorRooms } from "./operator-rooms.testing.ts";

/** What the operator sets and sees about a merchant's server: the policy for when it fails, and its events. */
const adminToken = "test-admin-token-of-32-characters";
const clock = { now: () => Date.UTC(2026, 4, 22, 12) };
let database: TestDatabase;
let merchants: Merchants;
let callbacks: ReturnType<typeof operatorRooms>["callbacks"];
let app: FastifyInstance;

beforeAll(async () => {
  database = await createTestDatabase();
  const rooms = operatorRooms(database, clock);
  ({ merchants, callbacks } = rooms);
  app = Fastify({ logger: false });
  await app.register(operatorApi({ ...rooms, clock, adminToken }));
});
afterAll(async () => {
  await app.close();
  await callbacks.stop();
  await database.drop();
});

async function call(method: "GET" | "POST" | "PATCH", url: string, payload?: object) {
  const headers = { authorization: `Bearer ${adminToken}` };
  const response = await app.inject({ method, url, headers, ...(payload !== undefined && { payload }) });
  const body: Record<string, unknown> = response.json();
  return { status: response.statusCode, body };
}

async function newMerchantNo(more: object = {}): Promise<string> {
  const { body } = await call("POST", "/merchants", { name: "Shop", mode: "AUTHORIZATION", ...more });
  return String(body["merchant_no"]);
}

const standIn = { kind: "stand_in", purchase_max: "50", card_day_max: "100.5", day_max: "1000.00" };

test("a merchant's time-out policy is set, replaced as a whole, audited, and standing in needs all three amounts", async () => {
  const merchantNo = await newMerchantNo({ failure_policy: standIn });
  const path = `/merchants/${merchantNo}`;
  expect((await call("GET", path)).body).toMatchObject({
    failure_policy: { kind: "stand_in", purchase_max: "50.00", card_day_max: "100.50", day_max: "1000.00" },
  });
  expect((await call("PATCH", path, { name: "New name" })).body).toMatchObject({
    failure_policy: { kind: "stand_in", day_max: "1000.00" },
  });
  expect((await call("PATCH", path, { failure_policy: { kind: "decline", day_max: "7" } })).body).toMatchObject({
    failure_policy: { kind: "decline", purchase_max: "0.00", card_day_max: "0.00", day_max: "7.00" },
  });
  const { rows } = await database.pool.query(
    "SELECT detail::text FROM audit_entry WHERE subject = $1 AND action = 'merchant.update' AND detail::text LIKE '%stand_in%'",
    [merchantNo],
  );
  expect(rows).toHaveLength(1);
  expect(rows[0].detail).toContain("decline");
  const { rows: stored } = await database.pool.query("SELECT * FROM merchant WHERE merchant_no = $1", [merchantNo]);
  expect(stored).toMatchObject([
    { failure_policy: "decline", stand_in_purchase_max: 0n, stand_in_card_day_max: 0n, stand_in_day_max: 700n },
  ]);
});

test("what becomes of a clearing that is not covered is a setting of the merchant, audited", async () => {
  const merchantNo = await newMerchantNo({ shortfall_policy: "absorb" });
  const path = `/merchants/${merchantNo}`;
  expect((await call("GET", path)).body).toMatchObject({ shortfall_policy: "absorb" });
  expect((await call("PATCH", path, { shortfall_policy: "overdraw" })).body).toMatchObject({
    shortfall_policy: "overdraw",
  });
  expect((await call("PATCH", path, { shortfall_policy: "refuse" })).body).toMatchObject({
    error: { code: "invalid_field", field: "shortfall_policy" },
  });
  const { rows } = await database.pool.query(
    "SELECT detail::text FROM audit_entry WHERE subject = $1 AND action = 'merchant.update'",
    [merchantNo],
  );
  expect(rows).toHaveLength(1);
  expect(rows[0].detail).toContain("absorb");
});

test.each([
  [{ kind: "stand_in" }, "failure_policy"],
  [{ ...standIn, purchase_max: "0.00" }, "failure_policy"],
  [{ ...standIn, card_day_max: "0" }, "failure_policy"],
  [{ kind: "stand_in", purchase_max: "1", card_day_max: "1" }, "failure_policy"],
  [{ ...standIn, day_max: "-1" }, "failure_policy.day_max"],
  [{ ...standIn, day_max: "1.001" }, "failure_policy.day_max"],
  [{ ...standIn, day_max: "1e3" }, "failure_policy.day_max"],
  [{ ...standIn, day_max: "100000000000.00" }, "failure_policy.day_max"],
  [{ ...standIn, day_max: 5 }, "failure_policy.day_max"],
  [{ ...standIn, week_max: "5" }, "failure_policy.week_max"],
  [{ kind: "approve" }, "failure_policy.kind"],
  [{}, "failure_policy.kind"],
  [null, "failure_policy"],
  ["decline", "failure_policy"],
])("a time-out policy of %j is refused with the field's name", async (failure_policy, field) => {
  const answer = await call("POST", "/merchants", { name: "Shop", mode: "AUTHORIZATION", failure_policy });
  expect(answer).toMatchObject({ status: 400, body: { error: { field } } });
});

test("what happened to a merchant's server is listed newest first, page by page, for that merchant only", async () => {
  const [first, second] = [await newMerchantNo(), await newMerchantNo()];
  const ids = await merchants.idsOf([first, second]);
  await database.pool.query(
    `INSERT INTO merchant_event (merchant_id, event_id, kind, detail, at)
     SELECT $1, ('00000000-0000-7000-8000-00000000000' || n)::uuid, 'circuit_opened', jsonb_build_object('wait_ms', n), n
     FROM generate_series(1, 3) AS n`,
    [ids.get(first)],
  );
  const path = `/merchants/${first}/events`;
  const listed = await call("GET", path);
  expect(listed.body).toMatchObject({
    list: [3, 2, 1].map((n) => ({ kind: "circuit_opened", detail: { wait_ms: n }, at: n })),
  });
  expect(await call("GET", `${path}?page=1&size=2`)).toMatchObject({ status: 200, body: { list: [{ at: 1 }] } });
  expect((await call("GET", `/merchants/${second}/events`)).body).toEqual({ list: [] });
  expect((await call("GET", "/merchants/M0/events")).status).toBe(404);
  expect((await call("GET", `${path}?size=101`)).status).toBe(400);
});

test("what a merchant was asked is listed newest first with where the time went, for that merchant only", async () => {
  const [first, second] = [await newMerchantNo(), await newMerchantNo()];
  const ids = await merchants.idsOf([first, second]);
  await database.pool.query(
    `INSERT INTO merchant_question (merchant_id, consume_no, asked_at, connect_ms, send_ms, first_byte_ms, done_ms, parse_ms, http_status,
       answer_code, verdict, late)
     VALUES ($1, 'O1', 1, 0.5, 0.75, 40, 41.5, 42, 200, 0, 'approved', false), ($1, 'O2', 2, 0, 0.25, 900, 1010.5, 1011, 200, 0, 'timeout', true),
       ($1, 'O3', 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 'circuit_open', false)`,
    [ids.get(first)],
  );
  const path = `/merchants/${first}/questions`;
  const none = { connect_ms: null, send_ms: null, first_byte_ms: null, done_ms: null, parse_ms: null };
  const late = { connect_ms: 0, send_ms: 0.25, first_byte_ms: 900, done_ms: 1010.5, parse_ms: 1011 };
  const quick = { connect_ms: 0.5, send_ms: 0.75, first_byte_ms: 40, done_ms: 41.5, parse_ms: 42 };
  const answered = { http_status: 200, answer_code: 0 };
  expect((await call("GET", path)).body).toEqual({
    list: [
      {
        consume_no: "O3",
        asked_at: 3,
        verdict: "circuit_open",
        late: false,
        http_status: null,
        answer_code: null,
        ...none,
      },
      { consume_no: "O2", asked_at: 2, verdict: "timeout", late: true, ...answered, ...late },
      { consume_no: "O1", asked_at: 1, verdict: "approved", late: false, ...answered, ...quick },
    ],
  });
  expect((await call("GET", `${path}?size=1&before=O3`)).body).toMatchObject({ list: [{ consume_no: "O2" }] });
  expect((await call("GET", `${path}?consume_no=O1`)).body).toMatchObject({ list: [{ consume_no: "O1" }] });
  const unanswered = { list: [{ verdict: "circuit_open" }, { verdict: "timeout" }] };
  expect((await call("GET", `${path}?unanswered=true`)).body).toMatchObject(unanswered);
  expect((await call("GET", `${path}?unanswered=true&before=O3`)).body).toMatchObject({ list: [{ consume_no: "O2" }] });
  expect((await call("GET", `${path}?unanswered=yes`)).status).toBe(400);
  expect((await call("GET", `/merchants/${second}/questions`)).body).toEqual({ list: [] });
  expect((await call("GET", "/merchants/M0/questions")).status).toBe(404);
  expect((await call("GET", `${path}?size=0`)).status).toBe(400);
  expect((await call("GET", `${path}?before=O%2F1`)).status).toBe(400);
});
