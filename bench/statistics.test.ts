import fc from "fast-check";
import { expect, test } from "vitest";
import { latenciesOf, median, percentile, rounded, slope, sorted } from "./statistics.ts";

const values = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });

test("a percentile is a measured value that at least its share of all values do not exceed", () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (measured, share) => {
      const found = percentile(sorted(measured), share);
      expect(measured).toContain(found);
      expect(measured.filter((value) => value <= found).length / measured.length).toBeGreaterThanOrEqual(share - 1e-12);
      const below = measured.filter((value) => value < found).length / measured.length;
      expect(below).toBeLessThan(Math.max(share, Number.MIN_VALUE));
    }),
  );
});

test("the nearest rank is taken: of a hundred values the 99th, and the last for the maximum", () => {
  const hundred = sorted(Array.from({ length: 100 }, (_, i) => 100 - i));
  expect([0, 0.5, 0.99, 0.999, 1].map((share) => percentile(hundred, share))).toEqual([1, 50, 99, 100, 100]);
  expect(percentile(sorted([]), 0.5)).toBeNaN();
});

test("the median of an even number of values lies between the two in the middle", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([9, 1, 5])).toBe(5);
  expect(median([])).toBeNaN();
});

test("numbers are sorted as numbers", () => {
  expect(sorted([10, 9, 100, 1])).toEqual(expect.objectContaining({ 0: 1, 1: 9, 2: 10, 3: 100 }));
  expect(latenciesOf([10, 9, 100, 1]).max_ms).toBe(100);
});

test("the slope of a line is found again, and a single point has none", () => {
  expect(slope([0, 1, 2, 3].map((x) => ({ x, y: 5 + 2 * x })))).toBeCloseTo(2);
  expect(slope([{ x: 1, y: 7 }])).toBe(0);
});

test("a number keeps three digits, and whole thousands all of theirs", () => {
  expect([rounded(0.123_456), rounded(12.345), rounded(123_456.7)]).toEqual([0.123, 12.3, 123_457]);
});
