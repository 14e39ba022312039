import * as fc from "fast-check";
import { expect, test } from "vitest";
import { CardwrightError, decimalsOf, fromMinorUnits, toMinorUnits } from "./index.ts";

const currency = fc.constantFrom("USD", "TUSDT", "JPY", "KWD");
const minor = fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n });

test("an amount survives the way through its text, and through the number of a callback", () => {
  fc.assert(
    fc.property(minor, currency, (amount, code) => {
      const text = fromMinorUnits(amount, code);
      expect(toMinorUnits(text, code)).toBe(amount);
      expect(toMinorUnits(Number(text), code)).toBe(amount);
    }),
  );
});

test.each<[string | number, string, bigint]>([
  ["12.50", "USD", 1_250n],
  [0.29, "USD", 29n],
  ["1.234", "KWD", 1_234n],
  ["1000", "JPY", 1_000n],
  ["-0.01", "TUSDT", -1n],
])("%s %s is %s minor units", (amount, code, expected) => {
  expect(toMinorUnits(amount, code)).toBe(expected);
});

test.each<[string | number, string]>([
  ["1.005", "USD"],
  ["1.5", "JPY"],
  ["1e2", "USD"],
  ["", "USD"],
  [" 1", "USD"],
  ["1,5", "USD"],
  [Number.NaN, "USD"],
  [1e21, "USD"],
  [1e-7, "KWD"],
  [1_234_567_890_123_456, "JPY"],
  ["1.00", "XXX"],
  ["1.00", "usd"],
])("%s %s is refused instead of rounded", (amount, code) => {
  expect(() => toMinorUnits(amount, code)).toThrow(CardwrightError);
});

test("currencies have their own decimals", () => {
  expect(["USD", "JPY", "KWD", "TUSDT"].map(decimalsOf)).toEqual([2, 0, 3, 2]);
});
