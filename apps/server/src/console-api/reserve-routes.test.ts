import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Reserves } from "#merchants/index.ts";
import { operatorApi } from "./index.ts";
import { operatorRooms } from "./operator-rooms.testing.ts";

const adminToken = "test-admin-token-of-32-characters";
const operators = [
  { name: "mia", token: "token-of-mia-which-has-32-characters" },
  { name: "jon", token: "token-of-jon-which-has-32-characters" },
];
const start = Date.UTC(2026, 10, 20, 8);
const dayMs = 86_400_000;
let now = start;
const clock = { now: () => now };
let database: TestDatabase;
let callbacks: ReturnType<typeof operatorRooms>["callbacks"];
let reserves: Reserves;
let app: FastifyInstance;
let base: string;
let merchantNo: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const rooms = operatorRooms(database, clock);
  ({ callbacks, reserves } = rooms);
  app = Fastify();
  await app.register(operatorApi({ ...rooms, clock, adminToken, operators }), { prefix: "/operator/v1" });
  base = `${await app.listen({ host: "127.0.0.1", port: 0 })}/operator/v1`;
});
afterAll(async () => {
  await app.close();
  await callbacks.stop();
  await database.drop();
});
beforeEach(async () => {
  now = start;
  const made = await admin("POST", "/merchants", { name: "Shop", mode: "AUTHORIZATION", utc_offset_minutes: 0 });
  merchantNo = String(made.body["merchant_no"]);
  const order = { merchant_no: merchantNo, amount: "100.00", currency: "USD", reference: "first" };
  const noted = await admin("POST", "/recharges", order);
  await admin("POST", `/recharges/${String(noted.body["recharge_no"])}/confirm`);
});

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

function caller(token: string) {
  return async (method: string, path: string, body?: unknown, accept?: string): Promise<Answer> => {
    const response = await fetch(base + path, {
      method,
      headers: {
        Authorization: `Bearer ${token}`,
        ...(body !== undefined && { "Content-Type": "application/json" }),
        ...(accept !== undefined && { Accept: accept }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const type = response.headers.get("content-type") ?? "";
    return { status: response.status, type, text, body: type.includes("json") ? JSON.parse(text) : {} };
  };
}
const admin = caller(adminToken);
const mia = caller("token-of-mia-which-has-32-characters");
const jon = caller("token-of-jon-which-has-32-characters");

const withdrawal = (more: object = {}) => ({
  merchant_no: merchantNo,
  amount: "40.00",
  destination: "DE02 1203 0000 0000 2020 51",
  reference: "payout",
  ...more,
});

test("a withdrawal is asked for by one operator, refused to it, and booked once by another", async () => {
  const asked = await mia("POST", "/withdrawals", withdrawal());
  expect(asked).toMatchObject({ status: 201, body: { status: "Pending", asked_by: "mia", decided_by: null } });
  const path = `/reserve-orders/${String(asked.body["order_no"])}`;
  expect(await mia("POST", `${path}/approve`)).toMatchObject({ status: 409, body: { error: { code: "own_order" } } });
  const answers = await Promise.all(Array.from({ length: 10 }, () => jon("POST", `${path}/approve`)));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  expect(answers[0]).toMatchObject({ status: 200, body: { status: "Booked", asked_by: "mia", decided_by: "jon" } });
  expect((await admin("GET", `/merchants/${merchantNo}/reserve`)).body).toMatchObject({ available: "60.00" });
  expect((await admin("GET", path)).text).toBe(answers[0]?.text);
  const { rows } = await database.pool.query(
    "SELECT actor, action FROM audit_entry WHERE subject = $1 ORDER BY entry_no",
    [asked.body["order_no"]],
  );
  expect(rows).toEqual([
    { actor: "mia", action: "withdrawal.create" },
    { actor: "jon", action: "withdrawal.approve" },
  ]);
});

test("orders are listed by merchant, kind and status, and refused ones name what is wrong", async () => {
  const adjustment = { merchant_no: merchantNo, amount: "5.00", reference: "fix", direction: "credit" };
  const whole = { ...adjustment, category: "goodwill", reason: "an outage of ours" };
  const first = await mia("POST", "/withdrawals", withdrawal());
  now += 1;
  const second = await jon("POST", "/adjustments", whole);
  expect(second).toMatchObject({ status: 201, body: { kind: "adjustment", category: "goodwill", destination: "" } });
  const numbers = async (query: string) => {
    const { list } = (await admin("GET", `/reserve-orders?merchant_no=${merchantNo}${query}`)).body;
    return Array.isArray(list) ? list.map((order: Record<string, unknown>) => order["order_no"]) : [];
  };
  expect(await numbers("")).toEqual([second.body["order_no"], first.body["order_no"]]);
  expect(await numbers("&kind=withdrawal")).toEqual([first.body["order_no"]]);
  await jon("POST", `/reserve-orders/${String(first.body["order_no"])}/cancel`);
  expect(await numbers("&status=Cancelled")).toEqual([first.body["order_no"]]);
  expect(await numbers("&size=1&page=1")).toEqual([first.body["order_no"]]);
  const refusals = [
    ["/withdrawals", withdrawal({ amount: "41.00" }), 409, "reference_reused"],
    ["/withdrawals", withdrawal({ amount: "0" }), 400, "amount_invalid"],
    ["/withdrawals", withdrawal({ merchant_no: "M0" }), 404, "merchant_unknown"],
    ["/withdrawals", withdrawal({ destination: "" }), 400, "invalid_field"],
    ["/withdrawals", withdrawal({ approved: true }), 400, "invalid_field"],
    ["/adjustments", adjustment, 400, "invalid_field"],
    ["/adjustments", { ...whole, category: "mistake" }, 400, "invalid_field"],
    ["/reserve-orders/W0/approve", undefined, 404, "reserve_order_unknown"],
    [`/reserve-orders/${String(first.body["order_no"])}/approve`, undefined, 409, "reserve_order_cancelled"],
  ] as const;
  for (const [path, body, status, code] of refusals) {
    const by = path.endsWith("/approve") ? jon : mia;
    expect(await by("POST", path, body)).toMatchObject({ status, body: { error: { code } } });
  }
  const big = await mia("POST", "/withdrawals", withdrawal({ amount: "100.01", reference: "all" }));
  expect(await jon("POST", `/reserve-orders/${String(big.body["order_no"])}/approve`)).toMatchObject({
    status: 409,
    body: { error: { code: "reserve_too_low" } },
  });
});

test("a day's statement comes as JSON and as CSV, with the same numbers", async () => {
  const asked = await mia("POST", "/withdrawals", withdrawal());
  now = start + dayMs;
  await jon("POST", `/reserve-orders/${String(asked.body["order_no"])}/approve`);
  now = start + 2 * dayMs;
  const path = `/merchants/${merchantNo}/reserve/statements`;
  const json = await admin("GET", `${path}/2026-11-21`);
  const whole = { available: "100.00", held: "0.00", total: "100.00" };
  const rest = { available: "60.00", held: "0.00", total: "60.00" };
  expect(json.body).toEqual({
    day: "2026-11-21",
    currency: "USD",
    from_at: Date.UTC(2026, 10, 21),
    until_at: Date.UTC(2026, 10, 22),
    closed: true,
    revision: 1,
    opening: whole,
    lines: [{ line: "withdrawals", postings: 1, available: "-40.00", held: "0.00", total: "-40.00" }],
    closing: rest,
  });
  const csv = [
    "day,line,postings,available,held,total",
    "2026-11-21,opening,,100.00,0.00,100.00",
    "2026-11-21,withdrawals,1,-40.00,0.00,-40.00",
    "2026-11-21,closing,,60.00,0.00,60.00",
    "",
  ].join("\r\n");
  expect(await admin("GET", `${path}/2026-11-21?format=csv`)).toMatchObject({
    status: 200,
    type: "text/csv; charset=utf-8",
    text: csv,
  });
  expect((await admin("GET", `${path}/2026-11-21`, undefined, "text/csv")).text).toBe(csv);
  expect((await admin("GET", `${path}/2026-11-21?format=json`, undefined, "text/csv")).text).toBe(json.text);
  const list = await admin("GET", path);
  expect(list.body["list"]).toMatchObject([
    { day: "2026-11-20", closed: true, closing: whole },
    { day: "2026-11-21", closed: true },
    { day: "2026-11-22", closed: false, opening: rest, lines: [], closing: rest },
  ]);
  expect((await admin("GET", `${path}?from=2026-11-21&to=2026-11-21&format=csv`)).text).toBe(csv);
  const refusals = [
    ["/2026-11-19", 404, "statement_unknown"],
    ["/2026-11-23", 404, "statement_unknown"],
    ["/2026-02-30", 404, "statement_unknown"],
    ["/yesterday", 404, "not_found"],
    ["/2026-11-21?format=xml", 400, "invalid_field"],
    ["?from=2026-11-22&to=2026-11-21", 400, "day_invalid"],
    ["?from=2025-01-01&to=2026-11-21", 400, "day_invalid"],
  ] as const;
  for (const [end, status, code] of refusals) {
    expect(await admin("GET", path + end)).toMatchObject({ status, body: { error: { code } } });
  }
});

test("thresholds and the policy at zero are set, shown with the forecast, and a low reserve is an event", async () => {
  const path = `/merchants/${merchantNo}/reserve`;
  const settings = { zero_policy: { kind: "grace", amount: "25.00" }, thresholds: ["500.00", "50.00"] };
  const sorted = { ...settings, thresholds: ["50.00", "500.00"] };
  expect(await mia("PATCH", path, settings)).toMatchObject({ status: 200, body: sorted });
  expect((await admin("GET", path)).body).toEqual({
    currency: "USD",
    available: "100.00",
    held: "0.00",
    spendable: "125.00",
    overdraft: "0.00",
    burn_per_day: "0.00",
    lasts_days: null,
    ...sorted,
  });
  await reserves.warnOfLowReserves();
  await reserves.warnOfLowReserves();
  expect((await admin("GET", `/merchants/${merchantNo}/events`)).body["list"]).toMatchObject([
    { kind: "reserve_low", detail: { threshold: "500.00", available: "100.00", held: "0.00" }, at: start },
  ]);
  expect(await mia("PATCH", path, { zero_policy: { kind: "decline" } })).toMatchObject({
    body: { zero_policy: { kind: "decline", amount: "0.00" }, thresholds: sorted.thresholds },
  });
  for (const [wrong, code] of [
    [{ zero_policy: { kind: "grace" } }, "grace_invalid"],
    [{ zero_policy: { kind: "decline", amount: "1.00" } }, "grace_invalid"],
    [{ thresholds: ["1.00", "1.00"] }, "thresholds_invalid"],
    [{ thresholds: ["-1.00"] }, "invalid_field"],
    [{ floor: "-1.00" }, "invalid_field"],
  ] as const) {
    expect(await mia("PATCH", path, wrong)).toMatchObject({ status: 400, body: { error: { code } } });
  }
});
