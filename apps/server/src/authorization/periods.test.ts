import { expect, test } from "vitest";
import { limitPeriods } from "./periods.ts";

const at = (text: string) => Date.parse(text);
const dayOf = (text: string) => at(`${text}T00:00:00Z`) / 86_400_000;

test("a week starts on Monday at midnight of the card's time zone", () => {
  const shanghai = 480;
  expect(limitPeriods(at("2026-11-22T15:59:59Z"), shanghai).week).toBe(dayOf("2026-11-16"));
  expect(limitPeriods(at("2026-11-22T16:00:00Z"), shanghai).week).toBe(dayOf("2026-11-23"));
});

test("a day and a month turn at the card's midnight, not at that of UTC", () => {
  const newYork = -300;
  const before = limitPeriods(at("2026-12-01T04:59:59Z"), newYork);
  const after = limitPeriods(at("2026-12-01T05:00:00Z"), newYork);
  expect([before.day, after.day]).toEqual([dayOf("2026-11-30"), dayOf("2026-12-01")]);
  expect(after.month - before.month).toBe(1);
});

test("every day of a week has the same Monday", () => {
  const mondays = new Set(
    Array.from({ length: 7 }, (_, i) => limitPeriods(at("2026-11-16T12:00:00Z") + i * 86_400_000, 0).week),
  );
  expect([...mondays]).toEqual([dayOf("2026-11-16")]);
});
