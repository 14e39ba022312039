import * as fc from "fast-check";
import { expect, test } from "vitest";
import { centsOf, toDecimal } from "./amounts.ts";

test("every number of cents survives the way through its decimal text, and through a JSON number", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 14n), max: 10n ** 14n }), (cents) => {
      expect(centsOf(toDecimal(cents))).toBe(cents);
      expect(centsOf(JSON.parse(String(Number(toDecimal(cents)))))).toBe(cents);
    }),
  );
});

test.each([1.005, "1.005", "1e2", "", null, undefined, true, {}, Number.NaN, 1e21, "1,5"])(
  "%s is refused, because cents cannot hold it exactly or it is no amount",
  (amount) => {
    expect(centsOf(amount)).toBeUndefined();
  },
);
