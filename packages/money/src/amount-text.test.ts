import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatAmount, formatShortest, parseAmount, parsePositiveAmount, toJsonNumber } from "./index.ts";

const decimals = fc.integer({ min: 0, max: 4 });
const minorWithin15Digits = fc.bigInt({ min: -(10n ** 15n - 1n), max: 10n ** 15n - 1n });

function reasonOf(text: string, places: number): string {
  const amount = parseAmount(text, places);
  return amount.ok ? `accepted as ${amount.value}` : amount.reason;
}

test("an amount that is written and read again is the same amount", () => {
  fc.assert(
    fc.property(minorWithin15Digits, decimals, (minor, places) => {
      expect(parseAmount(formatAmount(minor, places), places)).toEqual({ ok: true, value: minor });
      expect(parseAmount(formatShortest(minor, places), places)).toEqual({ ok: true, value: minor });
    }),
  );
});

test("a text that is read is the text that is written, up to zeros at its ends", () => {
  const text = fc.stringMatching(/^-?\d{1,15}(\.\d{1,4})?$/);
  fc.assert(
    fc.property(text, (given) => {
      const amount = parseAmount(given, 4);
      const [integer = "", fraction = ""] = given.replace("-", "").split(".");
      const plain = `${integer.replace(/^0+(?=\d)/, "")}.${fraction.padEnd(4, "0")}`;
      const sign = given.startsWith("-") && /[1-9]/.test(given) ? "-" : "";
      expect(amount.ok && formatAmount(amount.value, 4)).toBe(sign + plain);
    }),
  );
});

test.each([
  ["100", 10000n],
  ["12.5", 1250n],
  ["0.01", 1n],
  ["-0.01", -1n],
  ["-0", 0n],
  ["007.50", 750n],
  ["999999999999999.99", 99999999999999999n],
  ["0000000000000000000001", 100n],
])("%s with two decimals is %s minor units", (text, minor) => {
  expect(parseAmount(text, 2)).toEqual({ ok: true, value: minor });
});

test.each([
  "",
  " ",
  "+1",
  " 1",
  "1 ",
  "1\n",
  ".5",
  "1.",
  "1e2",
  "1E2",
  "0x10",
  "1_000",
  "1,000",
  "1.2.3",
  "--1",
  "-",
  "NaN",
  "Infinity",
  "\u0661\u0662",
  "\uff11",
  "1n",
  "null",
])("%j is not a number", (text) => {
  expect(reasonOf(text, 2)).toBe("not_a_number");
});

test("more decimals than the currency has are refused, also when they are zeros", () => {
  expect(reasonOf("1.001", 2)).toBe("too_many_decimals");
  expect(reasonOf("1.000", 2)).toBe("too_many_decimals");
  expect(reasonOf("1.0", 0)).toBe("too_many_decimals");
});

test("sixteen integer digits are too large, and a text of a million digits is refused at once", () => {
  expect(reasonOf("1000000000000000", 2)).toBe("too_large");
  expect(reasonOf("9".repeat(1_000_000), 2)).toBe("too_large");
});

test("a positive amount is above zero", () => {
  expect(parsePositiveAmount("0.01", 2)).toEqual({ ok: true, value: 1n });
  for (const text of ["0", "0.00", "-0", "-1"]) {
    expect(parsePositiveAmount(text, 2)).toEqual({ ok: false, reason: "not_positive" });
  }
  expect(parsePositiveAmount("x", 2)).toEqual({ ok: false, reason: "not_a_number" });
});

test("amounts are written with all decimals of the currency", () => {
  expect(formatAmount(10000n, 2)).toBe("100.00");
  expect(formatAmount(-5n, 2)).toBe("-0.05");
  expect(formatAmount(1000n, 0)).toBe("1000");
  expect(formatAmount(1234n, 3)).toBe("1.234");
  expect(formatAmount(0n, 2)).toBe("0.00");
});

test("the shortest text has no zeros that say nothing", () => {
  expect(formatShortest(10000n, 2)).toBe("100");
  expect(formatShortest(1250n, 2)).toBe("12.5");
  expect(formatShortest(1000n, 0)).toBe("1000");
  expect(formatShortest(0n, 2)).toBe("0");
  expect(formatShortest(-10n, 2)).toBe("-0.1");
});

test("the shortest text of an amount of 15 significant digits is what JSON writes for it", () => {
  fc.assert(
    fc.property(minorWithin15Digits, decimals, (minor, places) => {
      expect(JSON.stringify(toJsonNumber(minor, places))).toBe(formatShortest(minor, places));
    }),
  );
});

test("an amount that a JSON number would change is refused", () => {
  expect(() => toJsonNumber(9007199254740993n, 0)).toThrow(RangeError);
  expect(() => toJsonNumber(99999999999999999n, 2)).toThrow(RangeError);
  expect(() => toJsonNumber(10n ** 22n, 0)).toThrow(RangeError);
});

test("decimals that are no whole number from 0 to 12 are a mistake of the caller", () => {
  for (const places of [-1, 0.5, 13, Number.NaN]) {
    expect(() => parseAmount("1", places)).toThrow(RangeError);
    expect(() => formatAmount(1n, places)).toThrow(RangeError);
  }
});
