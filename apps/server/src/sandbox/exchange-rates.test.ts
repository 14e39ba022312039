import { decimalsOf } from "@cardwright/money";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createExchange } from "#exchange/index.ts";
import { seedExchangeRates } from "./index.ts";

const clock = { now: () => Date.UTC(2026, 4, 22, 12) };
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test("a new sandbox converts the usual currencies, with 0, 2 and 3 decimals; one that has rates keeps its own", async () => {
  const exchange = createExchange({ pool: database.pool, clock, ageMsMax: null });
  expect(await seedExchangeRates(exchange)).toBe(true);
  const rates = await exchange.current();
  expect(rates.length).toBeGreaterThanOrEqual(25);
  expect(new Set(rates.map(({ source }) => source))).toEqual(new Set(["sandbox"]));
  expect(new Set(rates.map(({ currency }) => decimalsOf(currency)))).toEqual(new Set([0, 2, 3]));
  for (const currency of ["JPY", "KRW", "VND", "EUR", "GBP", "CNY", "KWD", "BHD"]) {
    expect(await exchange.rateOf(currency)).toMatchObject({ source: "sandbox" });
  }
  const by = { actor: "operator" };
  await exchange.put({ source: "own", rates: [{ currency: "EUR", rate: "1.1" }] }, by);
  expect(await seedExchangeRates(exchange)).toBe(false);
  expect(await exchange.rateOf("EUR")).toMatchObject({ source: "own" });
});
