import { expect, test } from "vitest";
import { plannedArrivals, seededRandom } from "./arrivals.ts";

test("the same seed plans the same arrivals, another seed others", () => {
  const plan = { rate: 1_000, seconds: 2, seed: 42 };
  expect(plannedArrivals(plan)).toEqual(plannedArrivals(plan));
  expect(plannedArrivals({ ...plan, seed: 43 })).not.toEqual(plannedArrivals(plan));
});

test("arrivals keep their rate, their order and their end", () => {
  const arrivals = plannedArrivals({ rate: 2_000, seconds: 10, seed: 1 });
  // Twenty thousand arrivals deviate by 141 in the mean; five times that never happens with this seed or with others.
  expect(Math.abs(arrivals.length - 20_000)).toBeLessThan(710);
  expect(Array.from(arrivals)).toEqual(Array.from(arrivals).toSorted((a, b) => a - b));
  expect(arrivals.at(-1)).toBeLessThan(10_000);
});

test("gaps are exponential: as spread as they are long, and a share of 1/e is longer than the mean", () => {
  const arrivals = plannedArrivals({ rate: 1_000, seconds: 50, seed: 7 });
  const gaps = Array.from(arrivals, (at, i) => at - (arrivals[i - 1] ?? 0));
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  expect(mean).toBeCloseTo(1, 1);
  expect(deviation).toBeCloseTo(1, 1);
  expect(gaps.filter((gap) => gap > mean).length / gaps.length).toBeCloseTo(1 / Math.E, 1);
});

test("random numbers lie from 0 to 1 and fill every tenth of it evenly", () => {
  const random = seededRandom(99);
  const tenths = new Map<number, number>();
  for (let i = 0; i < 100_000; i += 1) {
    const tenth = Math.floor(random() * 10);
    tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1);
  }
  expect([...tenths.keys()].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(Math.min(...tenths.values())).toBeGreaterThan(9_500);
});
