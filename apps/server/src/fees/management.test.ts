import fc from "fast-check";
import { expect, test } from "vitest";
import { type ManagementCalendar, managementPeriod, managementPeriodAt, nextManagementPeriod } from "./index.ts";

const dayMs = 86_400_000;
const calendars: fc.Arbitrary<ManagementCalendar> = fc.record({
  type: fc.constantFrom("Month", "Year"),
  openedAt: fc.integer({ min: Date.UTC(2020, 0, 1), max: Date.UTC(2030, 0, 1) }),
  utcOffsetMinutes: fc.integer({ min: -720, max: 840 }),
});
const indexes = fc.nat({ max: 300 });

test("periods follow one another without gap or overlap", () => {
  fc.assert(
    fc.property(calendars, indexes, (calendar, index) => {
      const period = managementPeriod(calendar, index);
      const next = managementPeriod(calendar, index + 1);
      expect(period.endsAt).toBe(next.startsAt);
      expect(period.startsAt).toBeLessThan(period.endsAt);
      expect(period.retryAt).toBeLessThan(period.endsAt);
      expect(period.retryAt).toBeGreaterThan(period.startsAt);
    }),
  );
});

test("every instant from the opening on lies in exactly the period that is found for it", () => {
  fc.assert(
    fc.property(calendars, fc.integer({ min: 0, max: 4_000 * dayMs }), (calendar, after) => {
      const at = calendar.openedAt + after;
      const period = managementPeriodAt(calendar, at);
      expect(period.startsAt).toBeLessThanOrEqual(at);
      expect(period.endsAt).toBeGreaterThan(at);
    }),
  );
});

test("a period is found from its first to its last millisecond", () => {
  fc.assert(
    fc.property(calendars, indexes, (calendar, index) => {
      const { startsAt, endsAt } = managementPeriod(calendar, index);
      expect([startsAt, endsAt - 1, endsAt].map((at) => managementPeriodAt(calendar, at).index)).toEqual([
        index,
        index,
        index + 1,
      ]);
    }),
  );
});

test("walking by the next period meets each one once, in one step or day by day", () => {
  fc.assert(
    fc.property(calendars, fc.integer({ min: 1, max: 800 }), (calendar, days) => {
      const end = calendar.openedAt + days * dayMs;
      const daily = new Set<number>();
      for (let at = calendar.openedAt; at <= end; at += dayMs) daily.add(managementPeriodAt(calendar, at).index);
      const walked = [0];
      for (let next = nextManagementPeriod(calendar, calendar.openedAt); next.startsAt <= end; ) {
        walked.push(next.index);
        next = nextManagementPeriod(calendar, next.startsAt);
      }
      expect([...daily]).toEqual(walked);
    }),
    { numRuns: 50 },
  );
});

test("before the opening the next period is the first one, at the opening the second", () => {
  const calendar: ManagementCalendar = { type: "Month", openedAt: Date.UTC(2026, 0, 31, 2), utcOffsetMinutes: 480 };
  expect(nextManagementPeriod(calendar, calendar.openedAt - 1).index).toBe(0);
  expect(nextManagementPeriod(calendar, calendar.openedAt)).toEqual({
    index: 1,
    startsAt: Date.UTC(2026, 1, 27, 16),
    endsAt: Date.UTC(2026, 2, 30, 16),
    retryAt: Date.UTC(2026, 2, 29, 16),
  });
});
