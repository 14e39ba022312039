import * as fc from "fast-check";
import { expect, test } from "vitest";
import { toDecimal, toMinorUnits } from "./amounts.ts";

test("every number of cents survives the way through its decimal text", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }), (minor) => {
      expect(toMinorUnits(toDecimal(minor))).toBe(minor);
    }),
  );
});

test("an amount in a callback, a JSON number in its shortest form, becomes exactly its cents", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000_000 }), (cents) => {
      expect(toMinorUnits(JSON.stringify(Number(toDecimal(BigInt(cents)))))).toBe(BigInt(cents));
    }),
  );
});

test.each([
  ["0.29", 29n],
  ["12.5", 1250n],
  ["100", 10_000n],
  ["-0.01", -1n],
  ["1.500", 150n],
])("%s is %s cents", (decimal, cents) => {
  expect(toMinorUnits(decimal)).toBe(cents);
});

test.each(["1.005", "1e2", "", "1.", ".5", "+1", "NaN", '"1"', " 1", "12345678901234", "1,5"])(
  "%s is refused, because cents cannot hold it exactly or the contract does not allow it",
  (decimal) => {
    expect(toMinorUnits(decimal)).toBeUndefined();
  },
);
