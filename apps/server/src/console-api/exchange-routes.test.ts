import { isCurrency } from "@cardwright/money";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import Fastify, { type FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { operatorApi } from "./index.ts";
import { operatorRooms } from "./operator-rooms.testing.ts";

/** The rate table over HTTP. */
const adminToken = "test-admin-token-of-32-characters";
const noon = Date.UTC(2026, 4, 22, 12);
const clock = { now: () => noon };
let database: TestDatabase;
let callbacks: ReturnType<typeof operatorRooms>["callbacks"];
let app: FastifyInstance;
let base: string;

beforeAll(async () => {
  database = await createTestDatabase();
  const rooms = operatorRooms(database, clock);
  callbacks = rooms.callbacks;
  app = Fastify({ logger: false });
  await app.register(operatorApi({ ...rooms, clock, adminToken }));
  base = await app.listen({ host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await app.close();
  await callbacks.stop();
  await database.drop();
});

async function call(method: "GET" | "PUT", path: string, body?: object) {
  const answer = await fetch(base + path, {
    method,
    headers: {
      Authorization: `Bearer ${adminToken}`,
      ...(body !== undefined && { "Content-Type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const json: unknown = await answer.json();
  return { status: answer.status, body: json };
}

const euro = { currency: "EUR", rate: "1.0800" };
const yen = { currency: "JPY", rate: "0.0064" };

test("rates of several currencies are written in one call, listed, and each has its history, newest first", async () => {
  const put = await call("PUT", "/exchange-rates", { source: "ecb", valid_from: noon - 1_000, rates: [euro, yen] });
  const row = { source: "ecb", valid_from: noon - 1_000, created_at: noon };
  const first = [
    { currency: "EUR", rate: "1.08", ...row },
    { currency: "JPY", rate: "0.0064", ...row },
  ];
  expect(put).toEqual({ status: 200, body: { list: first } });
  await call("PUT", "/exchange-rates", { source: "bank", rates: [{ currency: "EUR", rate: "1.09" }] });
  const second = { currency: "EUR", rate: "1.09", source: "bank", valid_from: noon, created_at: noon };
  expect((await call("GET", "/exchange-rates")).body).toEqual({
    list: [
      { ...second, is_usable: true },
      { ...first[1], is_usable: true },
    ],
  });
  expect((await call("GET", "/exchange-rates/EUR")).body).toEqual({ list: [second, first[0]] });
  expect((await call("GET", "/exchange-rates/EUR?page=1&size=1")).body).toEqual({ list: [first[0]] });
  expect((await call("GET", "/exchange-rates/GBP")).body).toEqual({ list: [] });
  expect(await call("GET", "/exchange-rates/EUX")).toMatchObject({
    status: 404,
    body: { error: { code: "currency_unknown" } },
  });
});

test("every currency there is fits into one call", async () => {
  const letters = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  const codes = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c)));
  const known = codes.filter((code) => isCurrency(code) && code !== "USD");
  const rates = known.map((currency) => ({ currency, rate: "12.345678901234" }));
  expect(known.length).toBeGreaterThan(150);
  const put = await call("PUT", "/exchange-rates", { source: "test", valid_from: noon - 5_000, rates });
  expect(put.status).toBe(200);
  expect(await call("GET", "/exchange-rates/KWD")).toMatchObject({
    body: { list: [{ rate: "12.345678901234", source: "test" }] },
  });
});

test.each([
  ["a rate of zero", { rates: [euro, { currency: "JPY", rate: "0" }] }, "rates.1.rate"],
  ["a rate that is a number", { rates: [{ currency: "EUR", rate: 1.08 }] }, "rates.0.rate"],
  ["an unknown currency", { rates: [{ currency: "EUX", rate: "1" }] }, "rates.0.currency"],
  ["no rates", { rates: [] }, "rates"],
  ["a time far ahead", { valid_from: noon + 32 * 86_400_000 }, "valid_from"],
  ["a time that is a text", { valid_from: "2026-05-22" }, "valid_from"],
  ["no source", { source: "" }, "source"],
  ["an unknown field", { base: "EUR" }, "base"],
])("%s is refused by its field", async (_what, changed, field) => {
  const refused = await call("PUT", "/exchange-rates", { source: "ecb", rates: [euro], ...changed });
  expect(refused).toMatchObject({ status: 400, body: { error: { code: "invalid_field", field } } });
});
