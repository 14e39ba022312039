import fc from "fast-check";
import { expect, test } from "vitest";
import { nextTryAt } from "./schedule.ts";

const second = 1_000;
const hour = 3_600 * second;
const day = 24 * hour;

test("a push that always fails is tried after exactly the waits of the contract and given up after 30 days", () => {
  const waits: number[] = [];
  let nowMs = 0;
  for (let failures = 1; ; failures += 1) {
    const next = nextTryAt({ failures, firstFailedAtMs: 0, nowMs, random: 0.5 });
    if (next === null) {
      break;
    }
    waits.push(next - nowMs);
    nowMs = next;
  }
  expect(waits.slice(0, 11).map((ms) => ms / second)).toEqual([
    5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 43_200,
  ]);
  expect(new Set(waits.slice(9))).toEqual(new Set([12 * hour]));
  expect(nowMs).toBeLessThanOrEqual(30 * day);
  expect(nowMs).toBeGreaterThan(29 * day);
});

test("a wait is never more than a tenth away from the contract's", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, random) => {
      const at = (share: number): number => nextTryAt({ failures, firstFailedAtMs: 0, nowMs: 0, random: share }) ?? 0;
      const middle = at(0.5);
      expect(middle).toBeGreaterThan(0);
      expect(Math.abs(at(random) - middle)).toBeLessThanOrEqual(middle * 0.1 + 1);
    }),
  );
});
