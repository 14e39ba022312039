import { expect, test } from "vitest";
import { currencyOf, decimalsOf, isCurrency } from "./index.ts";

test("currencies of each number of decimals are known with their ISO numbers", () => {
  expect(currencyOf("USD")).toEqual({ code: "USD", numeric: "840", decimals: 2 });
  expect(currencyOf("JPY")).toEqual({ code: "JPY", numeric: "392", decimals: 0 });
  expect(currencyOf("KWD")).toEqual({ code: "KWD", numeric: "414", decimals: 3 });
  expect(currencyOf("CLF")).toEqual({ code: "CLF", numeric: "990", decimals: 4 });
});

test("TUSDT has two decimals and no ISO number", () => {
  expect(currencyOf("TUSDT")).toEqual({ code: "TUSDT", numeric: undefined, decimals: 2 });
  expect(decimalsOf("TUSDT")).toBe(2);
});

test.each(["XXX", "XAU", "DEM", "BGN", "usd", "", "USD ", "toString", "__proto__", "constructor"])(
  "%j is not a currency: withdrawn, without a minor unit, in lower case, or a member of every object",
  (code) => {
    expect(isCurrency(code)).toBe(false);
    expect(currencyOf(code)).toBeUndefined();
  },
);

const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(65 + i));
const everyIsoCurrency = letters
  .flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c)))
  .flatMap((code) => currencyOf(code) ?? []);

test("all 165 spendable currencies of the list are there, each with a number of its own", () => {
  expect(everyIsoCurrency).toHaveLength(165);
  expect(new Set(everyIsoCurrency.map((currency) => currency.numeric)).size).toBe(165);
  expect(everyIsoCurrency.filter((currency) => !/^\d{3}$/.test(currency.numeric ?? ""))).toEqual([]);
});

test.each([
  [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
  [3, "BHD IQD JOD KWD LYD OMR TND"],
  [4, "CLF UYW"],
])("the currencies of %i decimals are those of the list; all others have two", (decimals, codes) => {
  const found = everyIsoCurrency.filter((currency) => currency.decimals === decimals);
  expect(found.map((currency) => currency.code).join(" ")).toBe(codes);
});
