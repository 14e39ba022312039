import { type CurrencyCode, convert, decimalsOf, formatRate, isCurrency, parseRate } from "@cardwright/money";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { verifyAudit } from "#audit/index.ts";
import { createExchange, type Exchange, type NewRates } from "./index.ts";

const day = 86_400_000;
const noon = Date.UTC(2026, 4, 22, 12);
const by = { actor: "operator", requestId: "request-1" };
let now = noon;
const clock = { now: () => now };
let database: TestDatabase;
let exchange: Exchange;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  now = noon;
  await database.ownerPool.query("TRUNCATE exchange_rate");
  exchange = aProcess();
});
afterAll(() => database.drop());

function aProcess(ageMsMax: number | null = 7 * day): Exchange {
  return createExchange({ pool: database.pool, clock, ageMsMax });
}

/** Writes down what one euro is worth. */
async function euro(rate: string, more: Partial<NewRates> = {}): Promise<void> {
  const written = await exchange.put({ source: "ecb", rates: [{ currency: "EUR", rate }], ...more }, by);
  expect(written).toMatchObject({ ok: true });
}

async function rateOf(currency: string, at?: number, of = exchange): Promise<string | null> {
  const found = await of.rateOf(currency, at);
  return found === null ? null : formatRate(found.rate);
}

function rate(text: string) {
  const parsed = parseRate(text);
  if (!parsed.ok) throw new Error(`not a rate: ${text}`);
  return parsed.value;
}

test("a rate is valid from its moment until the next one, with its source and its time", async () => {
  await euro("1.0800", { validFrom: noon - day });
  await euro("1.09", { validFrom: noon + day, source: "bank" });
  expect(await exchange.rateOf("EUR")).toEqual({ rate: rate("1.08"), source: "ecb", at: noon - day });
  expect(await rateOf("EUR", noon - day - 1)).toBeNull();
  expect(await rateOf("EUR", noon - day)).toBe("1.08");
  expect(await rateOf("EUR", noon + day - 1)).toBe("1.08");
  expect(await rateOf("EUR", noon + day)).toBe("1.09");
  now = noon + day;
  expect(await exchange.rateOf("EUR")).toEqual({ rate: rate("1.09"), source: "bank", at: noon + day });
});

test("a correction takes effect at once and leaves the mistake in the history", async () => {
  await euro("0.93", { validFrom: noon });
  expect(await rateOf("EUR")).toBe("0.93");
  now = noon + 1;
  await euro("1.08", { validFrom: noon });
  expect(await rateOf("EUR")).toBe("1.08");
  const history = await exchange.history({ currency: "EUR", page: 0, size: 10 });
  expect(history.map((row) => [formatRate(row.rate), row.validFrom, row.createdAt])).toEqual([
    ["1.08", noon, noon + 1],
    ["0.93", noon, noon],
  ]);
  expect(await exchange.history({ currency: "EUR", page: 1, size: 1 })).toEqual([history[1]]);
});

test("the same rates for the same moment again add nothing, neither a row nor an audit entry", async () => {
  await euro("1.08", { validFrom: noon });
  const entries = async () => (await database.pool.query("SELECT FROM audit_entry WHERE merchant_id = 0")).rowCount;
  const before = await entries();
  await euro("1.080", { validFrom: noon });
  expect(await exchange.history({ currency: "EUR", page: 0, size: 10 })).toHaveLength(1);
  expect(await entries()).toBe(before);
});

test("many currencies are written at once or not at all, and the platform's audit has each with what it was before", async () => {
  await euro("1.05");
  now = noon + 1;
  const wrong = await exchange.put(
    {
      source: "ecb",
      rates: [
        { currency: "EUR", rate: "1.08" },
        { currency: "JPY", rate: "0" },
      ],
    },
    by,
  );
  expect(wrong).toMatchObject({ ok: false, reason: { field: "rates.1.rate" } });
  expect(await rateOf("EUR")).toBe("1.05");
  const rates = [
    { currency: "EUR", rate: "1.08" },
    { currency: "JPY", rate: "0.0064" },
    { currency: "KWD", rate: "3.25" },
  ];
  expect(await exchange.put({ source: "ecb", rates }, by)).toMatchObject({ ok: true, value: [{}, {}, {}] });
  expect([await rateOf("EUR"), await rateOf("JPY"), await rateOf("KWD")]).toEqual(["1.08", "0.0064", "3.25"]);
  const current = await exchange.current();
  expect(current.map((row) => [row.currency, formatRate(row.rate), row.isUsable])).toEqual([
    ["EUR", "1.08", true],
    ["JPY", "0.0064", true],
    ["KWD", "3.25", true],
  ]);
  const { rows } = await database.pool.query<{ actor: string; subject: string; detail: string }>(
    "SELECT actor, subject, detail FROM audit_entry WHERE merchant_id = 0 ORDER BY entry_no DESC LIMIT 1",
  );
  expect(rows[0]).toMatchObject({ actor: "operator", subject: "EUR,JPY,KWD" });
  expect(JSON.parse(rows[0]?.detail ?? "")).toEqual({
    source: "ecb",
    valid_from: now,
    rates: {
      EUR: { before: "1.05", after: "1.08" },
      JPY: { before: null, after: "0.0064" },
      KWD: { before: null, after: "3.25" },
    },
  });
  expect(await verifyAudit(database.pool)).toMatchObject({ ok: true });
});

test.each([
  ["a rate of zero", { rate: "0.000" }, "rates.0.rate"],
  ["a negative rate", { rate: "-1.08" }, "rates.0.rate"],
  ["a rate that was turned upside down", { rate: "156.25" }, "rates.0.rate"],
  ["more decimals than a rate can have", { rate: "1.0000000000001" }, "rates.0.rate"],
  ["a thousand digits", { rate: "1".repeat(1_000) }, "rates.0.rate"],
  ["an exponent", { rate: "1e2" }, "rates.0.rate"],
  ["a currency that does not exist", { currency: "EUX" }, "rates.0.currency"],
  ["a currency in lower case", { currency: "eur" }, "rates.0.currency"],
  ["the dollar itself", { currency: "USD" }, "rates.0.currency"],
  ["the credit that is at par with it", { currency: "TUSDT" }, "rates.0.currency"],
  ["a rate from further ahead than anybody publishes", { validFrom: noon + 32 * day }, "validFrom"],
  ["a rate from long ago", { validFrom: noon - 32 * day }, "validFrom"],
  ["a time that is none", { validFrom: Number.NaN }, "validFrom"],
  ["no source", { source: " " }, "source"],
  ["a source of two lines", { source: "e\ncb" }, "source"],
])("%s is refused by its field, and nothing is written", async (_what, changed, field) => {
  const { currency = "EUR", rate: text = "1.08", ...frame }: Record<string, unknown> = changed;
  const rates = [{ currency: String(currency), rate: String(text) }];
  const refusal = await exchange.put({ source: "ecb", rates, ...frame }, by);
  expect(refusal).toMatchObject({ ok: false, reason: { field } });
  expect(await exchange.current()).toEqual([]);
});

test("a currency that comes twice in a call, no currency and too many are refused", async () => {
  const one = { currency: "EUR", rate: "1.08" };
  const put = (rates: (typeof one)[]) => exchange.put({ source: "ecb", rates }, by);
  expect(await put([one, one])).toMatchObject({ ok: false, reason: { field: "rates.1.currency" } });
  expect(await put([])).toMatchObject({ ok: false, reason: { field: "rates" } });
  expect(await put(Array.from({ length: 201 }, () => one))).toMatchObject({ ok: false, reason: { field: "rates" } });
});

test("a rate that is too old converts nothing, is shown as such, and a new one does again", async () => {
  await euro("1.08");
  now = noon + 7 * day;
  expect(await rateOf("EUR")).toBe("1.08");
  now += 1;
  expect(await rateOf("EUR")).toBeNull();
  expect(await rateOf("EUR", noon + 7 * day)).toBe("1.08");
  expect(await exchange.current()).toMatchObject([{ currency: "EUR", isUsable: false }]);
  await euro("1.07");
  expect(await rateOf("EUR")).toBe("1.07");
});

test("in the sandbox, whose clock moves by years, a rate never grows old", async () => {
  const sandbox = aProcess(null);
  await euro("1.08");
  now = noon + 3_650 * day;
  expect(await rateOf("EUR", undefined, sandbox)).toBe("1.08");
  expect(await sandbox.current()).toMatchObject([{ currency: "EUR", isUsable: true }]);
});

test("dollars and the credit in TUSDT are at par; what is no currency, or has no rate, has none", async () => {
  for (const currency of ["USD", "TUSDT"]) {
    expect(await exchange.rateOf(currency)).toEqual({ rate: rate("1"), source: "par", at: noon });
  }
  for (const currency of ["EUR", "EUX", "", "toString"]) {
    expect(await exchange.rateOf(currency)).toBeNull();
  }
});

test("what another process writes is used within two seconds, and until then nothing is read again", async () => {
  await euro("1.08");
  const other = aProcess();
  expect(await rateOf("EUR", undefined, other)).toBe("1.08");
  now = noon + 1;
  await euro("1.09");
  now = noon + 1_999;
  expect(await rateOf("EUR", undefined, other)).toBe("1.08");
  now = noon + 2_000;
  expect(await rateOf("EUR", undefined, other)).toBe("1.09");
});

test("a read that fails is not kept: the next one finds the rate", async () => {
  await euro("1.08");
  let isAway = true;
  const unsteady = new Proxy(database.pool, {
    get: (pool, key) =>
      key === "query" && isAway ? () => Promise.reject(new Error("away")) : Reflect.get(pool, key, pool),
  });
  const other = createExchange({ pool: unsteady, clock, ageMsMax: null });
  await expect(other.rateOf("EUR")).rejects.toThrow("away");
  isAway = false;
  expect(await rateOf("EUR", undefined, other)).toBe("1.08");
});

test("processes that start at once fill an empty table once, and never one that has a rate", async () => {
  const rates = [
    { currency: "EUR", rate: "1.08" },
    { currency: "JPY", rate: "0.0064" },
  ];
  const seed = () => aProcess().seed({ source: "sandbox", rates }, { actor: "sandbox" });
  const seeded = await Promise.all([seed(), seed(), seed(), seed()]);
  expect(seeded.filter(Boolean)).toHaveLength(1);
  const { rowCount } = await database.pool.query("SELECT FROM exchange_rate");
  expect(rowCount).toBe(2);
  expect(await exchange.rateOf("JPY")).toMatchObject({ source: "sandbox", at: Date.UTC(2026, 4, 22) });
  expect(await seed()).toBe(false);
});

test("the application may add rates and never change or remove one", async () => {
  await euro("1.08");
  await expect(database.pool.query("UPDATE exchange_rate SET rate = '2'")).rejects.toThrow("permission denied");
  await expect(database.pool.query("DELETE FROM exchange_rate")).rejects.toThrow("permission denied");
});

test.each<[amount: bigint, from: CurrencyCode, rateText: string, cents: bigint]>([
  [1_000n, "JPY", "0.0064", 640n],
  [1n, "JPY", "0.0064", 1n],
  [78n, "JPY", "0.0064", 50n],
  [1_234n, "KWD", "3.25", 401n],
  [1_000n, "BHD", "2.65", 265n],
  [1n, "KWD", "3.25", 0n],
  [2n, "KWD", "2.5", 1n],
  [10_050n, "EUR", "1.08", 10_854n],
  [50n, "EUR", "1.01", 51n],
  [150_000n, "VND", "0.000039", 585n],
  [10_000n, "CLF", "41.123456789012", 4_112n],
  [0n, "EUR", "1.08", 0n],
])("%s minor units of %s at %s are %s cents", (amount, from, rateText, cents) => {
  expect(convert({ minor: amount, from, to: "USD", rate: rate(rateText) })).toBe(cents);
});

test("a conversion is the exact product, rounded half up once, for every currency's decimals", () => {
  const currency = fc.constantFrom(...["JPY", "EUR", "KWD", "CLF"].filter(isCurrency));
  fc.assert(
    fc.property(
      fc.bigInt(0n, 9_999_999_999_999n),
      currency,
      fc.bigInt(1n, 10n ** 14n),
      fc.integer({ min: 0, max: 12 }),
      (amount, from, units, scale) => {
        const cents = convert({ minor: amount, from, to: "USD", rate: { units, scale } });
        const divisor = 10n ** BigInt(scale + decimalsOf(from));
        const exact = amount * units * 100n;
        // cents − ½ ≤ exact/divisor < cents + ½, in whole numbers.
        expect(2n * cents * divisor - divisor <= 2n * exact).toBe(true);
        expect(2n * exact < 2n * cents * divisor + divisor).toBe(true);
      },
    ),
  );
});
