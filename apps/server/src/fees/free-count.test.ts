import fc from "fast-check";
import { expect, test } from "vitest";
import { card, freeCounts, moments } from "./fees.testing.ts";
import { freeLeft, isDeclineCharged, unusedCounter, used } from "./index.ts";

const days = fc.array(fc.integer({ min: 0, max: 200 }), { maxLength: 40 });
const dayMs = 86_400_000;

test("exactly the free count of uses is free in each period, in whatever order within it", () => {
  fc.assert(
    fc.property(freeCounts, days, (rule, unordered) => {
      let counter = unusedCounter;
      const freeByPeriod = new Map<number, number>();
      for (const day of unordered.toSorted((a, b) => a - b)) {
        const moment = { ...card, at: card.openedAt + day * dayMs };
        const period = rule.type === "Day" && rule.days > 0 ? Math.floor(day / rule.days) : 0;
        const isFree = freeLeft(counter, rule, moment) > 0;
        counter = used(counter, rule, moment);
        freeByPeriod.set(period, (freeByPeriod.get(period) ?? 0) + (isFree ? 1 : 0));
      }
      const perPeriod = rule.type === "None" || (rule.type === "Day" && rule.days === 0) ? 0 : rule.count;
      const visits = (period: number): number =>
        unordered.filter((day) => (rule.type === "Day" && rule.days > 0 ? Math.floor(day / rule.days) : 0) === period)
          .length;
      for (const [period, free] of freeByPeriod) {
        expect(free).toBe(Math.min(visits(period), perPeriod));
      }
    }),
  );
});

test("one use takes one of what is left, and where none is left nothing changes", () => {
  fc.assert(
    fc.property(freeCounts, moments, fc.nat({ max: 6 }), fc.nat({ max: 20 }), (rule, moment, count, period) => {
      const counter = { used: count, period };
      const left = freeLeft(counter, rule, moment);
      const after = used(counter, rule, moment);
      expect(freeLeft(after, rule, moment)).toBe(Math.max(0, left - 1));
      expect(after === counter).toBe(left === 0);
      expect(after.period).toBeGreaterThanOrEqual(counter.period);
    }),
  );
});

test("messages that arrive out of order never get more free ones than the periods they touch have", () => {
  fc.assert(
    fc.property(freeCounts, days, (rule, order) => {
      let counter = unusedCounter;
      let free = 0;
      for (const day of order) {
        const moment = { ...card, at: card.openedAt + day * dayMs };
        free += freeLeft(counter, rule, moment) > 0 ? 1 : 0;
        counter = used(counter, rule, moment);
      }
      const periods = new Set(
        order.map((day) => (rule.type === "Day" && rule.days > 0 ? Math.floor(day / rule.days) : 0)),
      );
      expect(free).toBeLessThanOrEqual(periods.size * rule.count);
    }),
  );
});

test("a period begins at the card's own midnight, on the day of the opening however late that was", () => {
  const rule = { count: 1, type: "Day", days: 1 } as const;
  const late = { openedAt: Date.UTC(2026, 4, 1, 4, 59, 59, 999), utcOffsetMinutes: -300 };
  const counter = { used: 1, period: 0 };
  expect(freeLeft(counter, rule, { ...late, at: late.openedAt })).toBe(0);
  expect(freeLeft(counter, rule, { ...late, at: late.openedAt + 1 })).toBe(1);
});

test("nobody pays for a decline that was the platform's or an unreachable merchant's doing", () => {
  expect(isDeclineCharged("insufficient_credit")).toBe(true);
  expect(isDeclineCharged("merchant_declined")).toBe(true);
  expect(isDeclineCharged("merchant_timeout")).toBe(false);
  expect(isDeclineCharged("system_error")).toBe(false);
  expect(isDeclineCharged("card_not_found")).toBe(false);
});
