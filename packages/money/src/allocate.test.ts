import * as fc from "fast-check";
import { expect, test } from "vitest";
import { allocate } from "./index.ts";

const total = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n });
const weights = fc
  .array(fc.bigInt({ min: 0n, max: 10n ** 6n }), { minLength: 1, maxLength: 30 })
  .filter((list) => list.some((weight) => weight > 0n));

test("the parts always sum to the total, and each is within one minor unit of its exact share", () => {
  fc.assert(
    fc.property(total, weights, (amount, given) => {
      const parts = allocate(amount, given);
      const weightsSum = given.reduce((sum, weight) => sum + weight, 0n);
      expect(parts).toHaveLength(given.length);
      expect(parts.reduce((sum, part) => sum + part, 0n)).toBe(amount);
      for (const [index, part] of parts.entries()) {
        const error = part * weightsSum - amount * (given[index] ?? 0n);
        expect(error < weightsSum && error > -weightsSum).toBe(true);
      }
    }),
  );
});

test("a part without weight gets nothing, and a negative total is split like its positive twin", () => {
  fc.assert(
    fc.property(total, weights, (amount, given) => {
      const parts = allocate(amount, given);
      expect(parts.filter((part, index) => given[index] === 0n && part !== 0n)).toEqual([]);
      expect(allocate(-amount, given)).toEqual(parts.map((part) => -part));
    }),
  );
});

test("what is left over goes to the largest fractions, of equal ones to the lower index", () => {
  expect(allocate(100n, [1n, 1n, 1n])).toEqual([34n, 33n, 33n]);
  expect(allocate(101n, [1n, 1n, 1n])).toEqual([34n, 34n, 33n]);
  expect(allocate(10n, [1n, 2n, 4n])).toEqual([1n, 3n, 6n]);
  expect(allocate(0n, [1n, 2n])).toEqual([0n, 0n]);
});

test("weights that cannot be split by are a mistake of the caller", () => {
  expect(() => allocate(1n, [])).toThrow(RangeError);
  expect(() => allocate(1n, [0n, 0n])).toThrow(RangeError);
  expect(() => allocate(1n, [2n, -1n])).toThrow(RangeError);
  expect(() =>
    allocate(
      1n,
      Array.from({ length: 10_001 }, () => 1n),
    ),
  ).toThrow(RangeError);
});
