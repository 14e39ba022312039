import * as fc from "fast-check";
import { expect, test } from "vitest";
import { applyRate, convert, formatRate, parseRate, type Rate } from "./index.ts";
import { divideHalfUp } from "./rounding.ts";

const minor = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n });
const rate = fc.record({ units: fc.bigInt({ min: 0n, max: 10n ** 12n }), scale: fc.integer({ min: 0, max: 12 }) });

const divisors = fc.oneof(fc.bigInt({ min: 1n, max: 10n }), fc.bigInt({ min: 1n, max: 10n ** 12n }));

function rateOf(text: string): Rate {
  const parsed = parseRate(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.value;
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

test("a rate that is written and read again is the same rate", () => {
  fc.assert(
    fc.property(rate, (given) => {
      const text = formatRate(given);
      const read = rateOf(text);
      expect(formatRate(read)).toBe(text);
      expect(read.units * 10n ** BigInt(given.scale)).toBe(given.units * 10n ** BigInt(read.scale));
    }),
  );
});

test("equal rates are read as equal values", () => {
  expect(rateOf("0.05")).toEqual({ units: 5n, scale: 2 });
  expect(rateOf("0.0500")).toEqual(rateOf("0.05"));
  expect(rateOf("1.0")).toEqual({ units: 1n, scale: 0 });
  expect(rateOf("0.000")).toEqual({ units: 0n, scale: 0 });
  expect(rateOf("0.000000000001")).toEqual({ units: 1n, scale: 12 });
});

test.each([
  ["-0.05", "negative"],
  ["5%", "not_a_number"],
  ["", "not_a_number"],
  ["0.0000000000001", "too_many_decimals"],
  ["1000000000000000", "too_large"],
])("the rate %j is refused as %s", (text, reason) => {
  expect(parseRate(text)).toEqual({ ok: false, reason });
});

test("a rounded quotient is at most half away, and a half goes away from zero", () => {
  fc.assert(
    fc.property(minor, divisors, (dividend, divisor) => {
      const error = 2n * (divideHalfUp({ dividend, divisor }) * divisor - dividend);
      const away = dividend < 0n ? -error : error;
      expect(away > -divisor && away <= divisor).toBe(true);
    }),
  );
  expect(divideHalfUp({ dividend: 5n, divisor: 2n })).toBe(3n);
  expect(divideHalfUp({ dividend: -5n, divisor: 2n })).toBe(-3n);
  expect(() => divideHalfUp({ dividend: 1n, divisor: 0n })).toThrow(RangeError);
});

test("a rate is applied with an error of at most half a minor unit, alike for both signs", () => {
  fc.assert(
    fc.property(minor, rate, (amount, given) => {
      const scale = 10n ** BigInt(given.scale);
      const fee = applyRate(amount, given);
      expect(2n * absolute(fee * scale - amount * given.units)).toBeLessThanOrEqual(scale);
      expect(applyRate(-amount, given)).toBe(-fee);
    }),
  );
});

test("a higher amount never pays a lower fee", () => {
  fc.assert(
    fc.property(minor, minor, rate, (a, b, given) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      expect(applyRate(low, given)).toBeLessThanOrEqual(applyRate(high, given));
    }),
  );
});

test("100 at 5 % is 5, and a half cent is rounded up", () => {
  expect(applyRate(10000n, rateOf("0.05"))).toBe(500n);
  expect(applyRate(50n, rateOf("0.01"))).toBe(1n);
  expect(applyRate(49n, rateOf("0.01"))).toBe(0n);
  expect(applyRate(-50n, rateOf("0.01"))).toBe(-1n);
});

test("a conversion respects the decimals of both currencies", () => {
  expect(convert({ minor: 10500n, from: "USD", to: "JPY", rate: rateOf("156.25") })).toBe(16406n);
  expect(convert({ minor: 16406n, from: "JPY", to: "USD", rate: rateOf("0.0064") })).toBe(10500n);
  expect(convert({ minor: 1000n, from: "KWD", to: "USD", rate: rateOf("3.25") })).toBe(325n);
  expect(convert({ minor: 325n, from: "USD", to: "KWD", rate: rateOf("0.3") })).toBe(975n);
  expect(convert({ minor: -5n, from: "KWD", to: "USD", rate: rateOf("1") })).toBe(-1n);
});

test("a conversion at par between currencies of equal decimals changes nothing", () => {
  fc.assert(
    fc.property(minor, (amount) => {
      expect(convert({ minor: amount, from: "TUSDT", to: "USD", rate: rateOf("1") })).toBe(amount);
    }),
  );
});
