import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verifyAudit } from "#audit/index.ts";
import { createPool } from "#database/index.ts";
import { createMerchants, type Merchants } from "#merchants/index.ts";
import { createApiSecret, createWebhookSecret, type Vault } from "#vault/index.ts";
import { operatorApi } from "./index.ts";
import { operatorRooms } from "./operator-rooms.testing.ts";

const adminToken = "test-admin-token-of-32-characters";
const clock = { now: () => Date.UTC(2026, 4, 22, 12) };
const logged: string[] = [];
let database: TestDatabase;
let vault: Vault;
let merchants: Merchants;
let callbacks: ReturnType<typeof operatorRooms>["callbacks"];
let rooms: ReturnType<typeof operatorRooms>;
let app: FastifyInstance;
let base: string;

beforeAll(async () => {
  database = await createTestDatabase();
  rooms = operatorRooms(database, clock);
  ({ merchants, vault, callbacks } = rooms);
  ({ app, base } = await listen(merchants));
});
afterAll(async () => {
  await app.close();
  await callbacks.stop();
  await database.drop();
});

async function listen(served: Merchants): Promise<{ app: FastifyInstance; base: string }> {
  const stream = { write: (line: string) => void logged.push(line) };
  const server = Fastify({ logger: { level: "error", stream }, genReqId: () => "request-7" });
  await server.register(operatorApi({ ...rooms, merchants: served, clock, adminToken }), { prefix: "/operator/v1" });
  return { app: server, base: `${await server.listen({ host: "127.0.0.1", port: 0 })}/operator/v1` };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // The tests look into answers of every shape.
  readonly body: Record<string, unknown>;
}

async function call(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(base + path, {
    method,
    headers: {
      Authorization: `Bearer ${adminToken}`,
      ...(body !== undefined && { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

function text(answer: Answer, key: string): string {
  const found = answer.body[key];
  if (typeof found !== "string") throw new Error(`${key} in ${JSON.stringify(answer.body)}`);
  return found;
}

async function newMerchantNo(more: object = {}): Promise<string> {
  return text(await call("POST", "/merchants", { name: "Shop", mode: "AUTHORIZATION", ...more }), "merchant_no");
}

const limits = {
  limit_balance: "5000.00",
  limit_week_balance: "20000.00",
  limit_atm_day_balance: "1000.00",
  limit_atm_month_balance: "10000.00",
};
const bin = { bin: "45673512", organization: "VISA", support_virtual: true, support_physical: true, limits };

test("without the right token everything but the document answers 401", async () => {
  for (const authorization of [
    "",
    "Bearer wrong-token-of-more-than-24-characters",
    `Basic ${adminToken}`,
    adminToken,
  ]) {
    const answer = await call("GET", "/merchants", undefined, { Authorization: authorization });
    expect(answer.status).toBe(401);
    expect(answer.body).toMatchObject({ error: { code: "unauthorized" } });
  }
  const made = await call("POST", "/merchants", { name: "X", mode: "AUTHORIZATION" }, { Authorization: "Bearer x" });
  expect(made.status).toBe(401);
  expect((await call("GET", "/openapi.json", undefined, { Authorization: "" })).status).toBe(200);
  expect((await call("GET", "/merchants", undefined, { Authorization: `bearer ${adminToken}` })).status).toBe(200);
});

test("a merchant is created, read, listed and changed", async () => {
  const created = await call("POST", "/merchants", {
    name: "Blue Shop",
    mode: "CREDIT_EXTENSION",
    callback_url: "https://shop.example/callback",
    pci_enabled: true,
    card_frame_origins: ["https://shop.example"],
    utc_offset_minutes: 0,
  });
  expect(created.status).toBe(201);
  expect(created.headers.get("cache-control")).toBe("no-store");
  expect(created.body).toEqual({
    merchant_no: expect.stringMatching(/^M20260522/u),
    name: "Blue Shop",
    mode: "CREDIT_EXTENSION",
    status: "Active",
    app_id: expect.stringMatching(/^app_/u),
    callback_url: "https://shop.example/callback",
    pci_enabled: true,
    card_frame_origins: ["https://shop.example"],
    utc_offset_minutes: 0,
    failure_policy: { kind: "decline", purchase_max: "0.00", card_day_max: "0.00", day_max: "0.00" },
    shortfall_policy: "overdraw",
    credit_policy: { kind: "none", ratio: "" },
    created_at: clock.now(),
  });
  const path = `/merchants/${text(created, "merchant_no")}`;
  expect((await call("GET", path)).body).toEqual(created.body);
  expect(await call("GET", "/merchants?page=0&size=1")).toMatchObject({ status: 200, body: { list: [created.body] } });
  const changed = await call("PATCH", path, { status: "Disabled", callback_url: "" });
  expect(changed).toMatchObject({ status: 200, body: { ...created.body, status: "Disabled", callback_url: "" } });
  expect((await call("GET", `${path}/reserve`)).body).toMatchObject({
    currency: "USD",
    available: "0.00",
    held: "0.00",
  });
});

test.each([
  [{ mode: "AUTHORIZATION" }, "name", "is required"],
  [{ name: "Shop" }, "mode", "is required"],
  [{ name: "Shop", mode: "BOTH" }, "mode", null],
  [{ name: 5, mode: "AUTHORIZATION" }, "name", "must be string"],
  [{ name: "", mode: "AUTHORIZATION" }, "name", null],
  [{ name: "a\u0000b", mode: "AUTHORIZATION" }, null, null],
  [{ name: "Shop", mode: "AUTHORIZATION", calback_url: "https://x.example" }, "calback_url", "is not known"],
  [{ name: "Shop", mode: "AUTHORIZATION", pci_enabled: "true" }, "pci_enabled", "must be boolean"],
  [{ name: "Shop", mode: "AUTHORIZATION", utc_offset_minutes: 841 }, "utc_offset_minutes", null],
  [{ name: "Shop", mode: "AUTHORIZATION", card_frame_origins: ["https://a.example", 5] }, "card_frame_origins.1", null],
  [[], "body", "must be object"],
  [null, "body", "must be object"],
])("a merchant of %j is refused with the field's name", async (body, field, message) => {
  const answer = await call("POST", "/merchants", body);
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({
    error: { ...(field !== null && { field }), ...(message !== null && { message }) },
  });
});

test.each([
  "http://plain.example/callback",
  "https://user:pw@shop.example/",
  "shop.example",
  "https://shop.example/#x",
])("in production %j is no callback URL", async (callback_url) => {
  const answer = await call("POST", "/merchants", { name: "Shop", mode: "AUTHORIZATION", callback_url });
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({ error: { code: "callback_url_invalid", field: "callback_url" } });
});

test("bodies that are not JSON, too large, of another type or missing are told apart", async () => {
  const post = (body: string, headers = {}) => call("POST", "/merchants", body, headers);
  expect(await post('{"name":')).toMatchObject({ status: 400, body: { error: { code: "invalid_json" } } });
  expect(await post('{"name":"a","name":"b"}')).toMatchObject({
    status: 400,
    body: { error: { code: "invalid_json", field: "name" } },
  });
  expect(await post("")).toMatchObject({ status: 400, body: { error: { code: "invalid_field", field: "body" } } });
  expect(await post(JSON.stringify({ name: "x".repeat(40_000) }))).toMatchObject({
    status: 413,
    body: { error: { code: "body_too_large" } },
  });
  expect(await post("name=x", { "Content-Type": "application/x-www-form-urlencoded" })).toMatchObject({
    status: 415,
    body: { error: { code: "unsupported_media_type" } },
  });
  const polluted = await post('{"__proto__":{"mode":"AUTHORIZATION"},"name":"x"}');
  expect(polluted.status).toBe(400);
});

test("paths and numbers that do not exist answer 404", async () => {
  for (const path of [
    "/nothing",
    "/merchants/M0",
    "/merchants/%00",
    "/merchants/a%20b/reserve",
    "/bins/B0",
    "/packages/P0",
  ]) {
    const answer = await call("GET", path);
    expect([path, answer.status]).toEqual([path, 404]);
    expect(answer.body).toHaveProperty("error.code");
  }
  for (const path of ["/merchants?size=0", "/merchants?size=101", "/merchants?page=-1", "/merchants?pages=1"]) {
    expect([path, (await call("GET", path)).status]).toEqual([path, 400]);
  }
});

test("a credential is shown once, listed without its secrets, changed, and deleted", async () => {
  const merchantNo = await newMerchantNo();
  const path = `/merchants/${merchantNo}/credentials`;
  const first = await call("POST", path, { label: "first", allow_list: ["::ffff:203.0.113.7", "10.1.2.3/8"] });
  expect(first).toMatchObject({ status: 201, body: { is_primary: true, allow_list: ["203.0.113.7", "10.0.0.0/8"] } });
  const caller = await merchants.authenticate(text(first, "api_key"));
  expect(caller?.merchant.merchantNo).toBe(merchantNo);
  const merchantId = caller?.merchant.merchantId ?? 0;
  const secretId = text(first, "credential_id");
  expect(await vault.readSecret({ merchantId, secretId })).toBe(text(first, "api_secret"));

  const second = await call("POST", path, {});
  expect(second).toMatchObject({ status: 201, body: { is_primary: false, allow_list: [], expires_at: null } });
  const listed = await call("GET", path);
  expect(listed.body).toMatchObject({ list: [{ credential_id: secretId }, { is_primary: false }] });
  expect(JSON.stringify(listed.body)).not.toMatch(/"api_(?:key|secret)"/u);

  const other = `${path}/${text(second, "credential_id")}`;
  expect((await call("PATCH", other, { status: "Disabled", expires_at: null })).body).toMatchObject({
    status: "Disabled",
  });
  expect(await call("POST", `${other}/primary`)).toMatchObject({
    status: 409,
    body: { error: { code: "credential_disabled" } },
  });
  expect((await call("PATCH", other, { status: "Enabled" })).status).toBe(200);
  expect((await call("POST", `${other}/primary`, "")).body).toMatchObject({ is_primary: true });
  expect((await call("PUT", `${other}/allow-list`, { allow_list: ["2001:DB8::/32"] })).body).toMatchObject({
    allow_list: ["2001:db8::/32"],
  });
  expect(await call("PUT", `${other}/allow-list`, { allow_list: ["10.0.0.256"] })).toMatchObject({
    status: 400,
    body: { error: { code: "allow_list_invalid", field: "allow_list" } },
  });
  expect(await call("DELETE", other)).toMatchObject({
    status: 409,
    body: { error: { code: "credential_is_primary" } },
  });
  expect((await call("DELETE", `${path}/${secretId}`)).status).toBe(204);
  expect((await call("DELETE", `${path}/${secretId}`)).status).toBe(204);
  expect(await merchants.authenticate(text(first, "api_key"))).toBeNull();
  expect((await call("PATCH", `${path}/${secretId}`, {})).status).toBe(404);
  expect((await call("DELETE", `${path}/not-an-id`)).status).toBe(404);
});

test("twenty confirmations of one recharge at once book it once", async () => {
  const merchant_no = await newMerchantNo();
  const request = { merchant_no, amount: "1000.5", currency: "TUSDT", reference: "wire 1" };
  const created = await call("POST", "/recharges", request);
  expect(created).toMatchObject({
    status: 201,
    body: { merchant_no, amount: "1000.50", currency: "TUSDT", status: "Pending", decided_at: null },
  });
  expect((await call("POST", "/recharges", request)).body).toEqual(created.body);
  expect(await call("POST", "/recharges", { ...request, amount: "1000.51" })).toMatchObject({
    status: 409,
    body: { error: { code: "reference_reused", field: "reference" } },
  });
  const path = `/recharges/${text(created, "recharge_no")}`;
  const answers = await Promise.all(Array.from({ length: 20 }, () => call("POST", `${path}/confirm`)));
  expect(new Set(answers.map((answer) => `${answer.status} ${text(answer, "status")}`))).toEqual(
    new Set(["200 Confirmed"]),
  );
  expect((await call("GET", `/merchants/${merchant_no}/reserve`)).body).toMatchObject({ available: "1000.50" });
  expect(await call("POST", `${path}/reject`)).toMatchObject({
    status: 409,
    body: { error: { code: "recharge_confirmed" } },
  });
  expect((await call("GET", `/recharges?merchant_no=${merchant_no}&status=Confirmed`)).body).toMatchObject({
    list: [{ recharge_no: created.body["recharge_no"] }],
  });
  expect((await call("GET", `/recharges?merchant_no=${merchant_no}&status=Pending`)).body).toEqual({ list: [] });
});

test("a rejected recharge books nothing", async () => {
  const merchant_no = await newMerchantNo();
  const request = { merchant_no, amount: "5.00", currency: "USD", reference: "wire 2" };
  const path = `/recharges/${text(await call("POST", "/recharges", request), "recharge_no")}`;
  expect((await call("POST", `${path}/reject`)).body).toMatchObject({ status: "Rejected", decided_at: clock.now() });
  expect((await call("POST", `${path}/reject`)).status).toBe(200);
  expect(await call("POST", `${path}/confirm`)).toMatchObject({
    status: 409,
    body: { error: { code: "recharge_rejected" } },
  });
  expect((await call("GET", `/merchants/${merchant_no}/reserve`)).body).toMatchObject({ available: "0.00" });
});

test.each(["0", "-1", "1.001", "1e3", "", " 5", "99999999999.00", "NaN"])(
  "%j is no amount of a recharge",
  async (amount) => {
    const request = { merchant_no: await newMerchantNo(), amount, currency: "USD", reference: "x" };
    expect(await call("POST", "/recharges", request)).toMatchObject({
      status: 400,
      body: { error: { code: "amount_invalid", field: "amount" } },
    });
  },
);

test("a BIN and a package are created, read, listed, changed and switched off", async () => {
  const merchant_no = await newMerchantNo();
  const madeBin = await call("POST", "/bins", { ...bin, rates: { consume_rate: "0.010" }, offered_to: [merchant_no] });
  expect(madeBin).toMatchObject({
    status: 201,
    body: { ...bin, pan_length: 16, valid_months: 36, status: "On", offered_to: [merchant_no], terms_version: 1 },
  });
  expect(madeBin.body["rates"]).toMatchObject({ consume_rate: "0.01", open_cost: "0.00", manage_fee_type: "None" });
  const binPath = `/bins/${text(madeBin, "card_bin_no")}`;
  expect((await call("GET", binPath)).body).toEqual(madeBin.body);
  expect((await call("GET", "/bins?size=1")).body).toEqual({ list: [madeBin.body] });
  const change = { offered_to: null, valid_months: 48, limits: { limit_balance: "1.00" } };
  expect((await call("PATCH", binPath, change)).body).toMatchObject({
    offered_to: null,
    valid_months: 48,
    terms_version: 2,
    limits: { ...limits, limit_balance: "1.00" },
  });

  const product = {
    card_bin_no: text(madeBin, "card_bin_no"),
    en_name: "Everyday",
    cn_name: "日常卡",
    en_desc: "Two\nlines",
    en_tag_list: ["Online"],
    support_virtual: true,
    support_physical: false,
    limits,
    rates: { open_cost: "5" },
  };
  const madePackage = await call("POST", "/packages", product);
  expect(madePackage).toMatchObject({
    status: 201,
    body: { ...product, rates: { open_cost: "5.00" }, cn_tag_list: [] },
  });
  const packagePath = `/packages/${text(madePackage, "package_no")}`;
  expect((await call("GET", packagePath)).body).toEqual(madePackage.body);
  expect((await call("GET", "/packages?size=1")).body).toEqual({ list: [madePackage.body] });
  expect((await call("PATCH", packagePath, { status: "Off", cn_name: "新卡" })).body).toEqual({
    ...madePackage.body,
    status: "Off",
    cn_name: "新卡",
  });
});

test.each([
  [{ bin: "123" }, "bin"],
  [{ offered_to: ["M0"] }, "offered_to"],
  [{ limits: { ...limits, limit_balance: 5 } }, "limits.limit_balance"],
  [{ limits: { limit_balance: "5" } }, "limits.limit_week_balance"],
  [{ rates: { consume_rate: "5" } }, "rates.consume_rate"],
  [{ rates: { consume_cancel_fee: "1.00" } }, "rates.consume_cancel_fee"],
  [{ currencies: ["QQQ"] }, "currencies"],
  [{ support_virtual: false, support_physical: false }, "support_virtual"],
  [{ status: "Off" }, "status"],
])("a BIN with %j is refused with the field's name", async (wrong, field) => {
  const answer = await call("POST", "/bins", { ...bin, ...wrong });
  expect(answer.status).toBe(400);
  expect(answer.body).toMatchObject({ error: { field } });
});

test("what the rooms refuse about packages arrives by its name", async () => {
  const virtualOnly = text(await call("POST", "/bins", { ...bin, support_physical: false }), "card_bin_no");
  const product = { en_name: "E", cn_name: "日", support_virtual: true, support_physical: true, limits };
  expect(await call("POST", "/packages", { ...product, card_bin_no: virtualOnly })).toMatchObject({
    status: 409,
    body: { error: { code: "card_type_not_on_bin" } },
  });
  expect(await call("POST", "/packages", { ...product, card_bin_no: "B0" })).toMatchObject({
    status: 404,
    body: { error: { code: "bin_unknown" } },
  });
  expect((await call("PATCH", "/packages/P0", {})).status).toBe(404);
  expect((await call("PATCH", "/bins/B0", {})).status).toBe(404);
});

test("every change stands in the audit with the operator and the request, and the chains verify", async () => {
  const merchantNo = await newMerchantNo();
  const { rows } = await database.pool.query("SELECT actor, request_id, action FROM audit_entry WHERE subject = $1", [
    merchantNo,
  ]);
  expect(rows).toEqual([{ actor: "admin", request_id: "request-7", action: "merchant.create" }]);
  expect(await verifyAudit(database.pool)).toMatchObject({ ok: true });
});

test("the document describes every endpoint, its parameters and its errors", async () => {
  const document = (await call("GET", "/openapi.json")).body;
  const paths = document["paths"];
  expect(Object.keys(paths ?? {}).toSorted()).toEqual([
    "/adjustments",
    "/bins",
    "/bins/{card_bin_no}",
    "/exchange-rates",
    "/exchange-rates/{currency}",
    "/merchants",
    "/merchants/{merchant_no}",
    "/merchants/{merchant_no}/callback-endpoint",
    "/merchants/{merchant_no}/callback-endpoint/pause",
    "/merchants/{merchant_no}/callback-endpoint/resume",
    "/merchants/{merchant_no}/callback-endpoint/test",
    "/merchants/{merchant_no}/callbacks",
    "/merchants/{merchant_no}/callbacks/resend",
    "/merchants/{merchant_no}/callbacks/{callback_id}",
    "/merchants/{merchant_no}/callbacks/{callback_id}/resend",
    "/merchants/{merchant_no}/cardholders/{cardholder_no}/bonus",
    "/merchants/{merchant_no}/client-certificate",
    "/merchants/{merchant_no}/credentials",
    "/merchants/{merchant_no}/credentials/{credential_id}",
    "/merchants/{merchant_no}/credentials/{credential_id}/allow-list",
    "/merchants/{merchant_no}/credentials/{credential_id}/primary",
    "/merchants/{merchant_no}/credit",
    "/merchants/{merchant_no}/events",
    "/merchants/{merchant_no}/management-exemptions",
    "/merchants/{merchant_no}/questions",
    "/merchants/{merchant_no}/reserve",
    "/merchants/{merchant_no}/reserve/statements",
    "/merchants/{merchant_no}/reserve/statements/{day}",
    "/merchants/{merchant_no}/webhook-secrets",
    "/packages",
    "/packages/{package_no}",
    "/parked-refunds",
    "/parked-refunds/{parked_no}/resolve",
    "/recharges",
    "/recharges/{recharge_no}/confirm",
    "/recharges/{recharge_no}/reject",
    "/reserve-orders",
    "/reserve-orders/{order_no}",
    "/reserve-orders/{order_no}/approve",
    "/reserve-orders/{order_no}/cancel",
    "/settlement/files",
    "/settlement/files/{file_no}",
    "/settlement/items",
    "/settlement/items/{item_id}",
    "/settlement/items/{item_id}/resolve",
    "/withdrawals",
  ]);
  expect(paths).toMatchObject({
    "/recharges/{recharge_no}/confirm": {
      post: {
        parameters: [{ name: "recharge_no", in: "path", required: true }],
        responses: { 200: {}, 401: {}, 404: {}, 409: { description: expect.stringContaining("recharge_rejected") } },
      },
    },
    "/merchants": {
      post: { requestBody: { content: { "application/json": { schema: { additionalProperties: false } } } } },
    },
  });
});

test("every endpoint of the document can be called: what it validates with is compiled only then", async () => {
  const { paths } = (await call("GET", "/openapi.json")).body;
  const endpoints = Object.entries(paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item).map((method) => ({ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/gu, "0") })),
  );
  expect(endpoints.length).toBeGreaterThan(50);
  for (const { method, path } of endpoints) {
    const { status } = await call(method, path, method === "GET" ? undefined : {});
    expect([method, path, status < 500]).toEqual([method, path, true]);
  }
});

test("without a database the answer is 503 with Retry-After, and after a bug 500 without its text", async () => {
  const url = "postgresql://nobody:hidden@127.0.0.1:1/nothing";
  const options = { max: 1, applicationName: "test", statementTimeoutMs: 1000, onConnectionError: () => {} };
  const gone = createPool({ url, ...options });
  const broken = createMerchants({
    pool: gone,
    clock,
    requireHttps: false,
    secrets: { create: createApiSecret, store: vault.storeSecret, delete: vault.deleteSecret },
    webhookSecrets: { create: createWebhookSecret, ...vault.webhookSecrets },
    clientKeys: vault.clientKeys,
  });
  const buggy: Merchants = { ...broken, find: () => Promise.reject(new Error("the bug")) };
  const elsewhere = await listen(buggy);
  const read = (path: string) => fetch(elsewhere.base + path, { headers: { Authorization: `Bearer ${adminToken}` } });
  const away = await read("/merchants");
  expect(away.status).toBe(503);
  expect(away.headers.get("retry-after")).toBe("1");
  expect(await away.json()).toMatchObject({ error: { code: "unavailable" } });
  const bug = await read("/merchants/M1");
  expect(bug.status).toBe(500);
  expect(await bug.text()).not.toContain("the bug");
  expect(logged.join("")).toContain("the bug");
  expect(logged.join("")).not.toContain(adminToken);
  await elsewhere.app.close();
  await gone.end();
});
