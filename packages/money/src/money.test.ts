import * as fc from "fast-check";
import { expect, test } from "vitest";
import { add, compare, money, subtract } from "./index.ts";

const minor = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n });

test("addition is commutative, subtraction undoes it, and comparison agrees with the difference", () => {
  fc.assert(
    fc.property(minor, minor, (a, b) => {
      const left = money(a, "EUR");
      const right = money(b, "EUR");
      expect(add(left, right)).toEqual(add(right, left));
      expect(subtract(add(left, right), right)).toEqual(left);
      const difference = subtract(left, right).minor;
      expect(compare(left, right)).toBe(difference === 0n ? 0 : difference < 0n ? -1 : 1);
      expect(compare(left, right) + compare(right, left)).toBe(0);
    }),
  );
});

test("amounts of two currencies are never added, subtracted or compared, also not those at par", () => {
  for (const operation of [add, subtract, compare]) {
    expect(() => operation(money(100n, "USD"), money(100n, "TUSDT"))).toThrow(/USD and TUSDT/);
  }
});
