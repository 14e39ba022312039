import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isCardNumber, isNumberRange, numberAt, randomNumber, rangeSize } from "./pan.ts";

const range = fc
  .integer({ min: 12, max: 19 })
  .chain((length) =>
    fc.record({ length: fc.constant(length), bin: fc.stringMatching(new RegExp(`^[0-9]{6,${length - 2}}$`, "u")) }),
  );

test("a random number lies in its range, has its length and a valid check digit", () => {
  fc.assert(
    fc.property(range, (range) => {
      expect(isNumberRange(range)).toBe(true);
      const pan = randomNumber(range);
      expect(pan.startsWith(range.bin)).toBe(true);
      expect(pan).toHaveLength(range.length);
      expect(isCardNumber(pan)).toBe(true);
    }),
  );
});

test("the numbers of a range are all different and as many as its size says", () => {
  const small = { bin: "4567351200001", length: 16 };
  const numbers = Array.from({ length: rangeSize(small) }, (_, index) => numberAt(small, index));
  expect(new Set(numbers).size).toBe(100);
  expect(numbers.every((pan) => isCardNumber(pan) && pan.startsWith(small.bin))).toBe(true);
});

test("a range that cannot hold a number with a check digit is refused", () => {
  for (const [bin, length] of [
    ["45673", 16],
    ["456735a2", 16],
    ["45673512", 11],
    ["45673512", 20],
    ["45673512", 16.5],
    ["456735123456789", 16],
    ["", 16],
  ] as const) {
    expect([bin, length, isNumberRange({ bin, length })]).toEqual([bin, length, false]);
  }
});

test("random numbers of a range cover it: among 2,000 of 100 each appears", () => {
  // The chance that one of the hundred is missing is below 2 in ten million.
  const small = { bin: "4567351200001", length: 16 };
  expect(new Set(Array.from({ length: 2000 }, () => randomNumber(small))).size).toBe(100);
});
