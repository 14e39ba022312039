import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type ListRangeResult, parseListRange, parseTimezone } from "./dates.ts";

const range = (start_time: string, end_time: string, timezoneOffsetMinutes = 0): ListRangeResult =>
  parseListRange({ start_time, end_time, timezoneOffsetMinutes });
const utc = (iso: string): number => Date.parse(`${iso}Z`);
const errorOf = (result: ListRangeResult): string => (result.ok ? "ok" : `${result.field} ${result.error}`);

test.each([
  ["UTC+8", 480],
  ["UTC-5", -300],
  ["UTC+05:30", 330],
  ["UTC-12", -720],
  ["UTC+14", 840],
  ["UTC+0", 0],
  ["UTC-0", 0],
  ["UTC-03:30", -210],
  [undefined, 480],
])("the zone %s is %i minutes east of UTC", (header, minutes) => {
  expect(parseTimezone(header)).toEqual({ ok: true, value: minutes });
});

test.each([
  "",
  "UTC",
  "utc+8",
  "UTC8",
  "UTC+15",
  "UTC-13",
  "UTC+14:01",
  "UTC-12:30",
  "UTC+5:60",
  "UTC+5:3",
  "GMT+8",
  "UTC+8 ",
  "+08:00",
])("the zone %j is refused", (header) => {
  expect(parseTimezone(header)).toEqual({ ok: false, field: "timezone", error: "invalid_parameter" });
});

test("the same bare date twice is that one day in the caller's zone", () => {
  expect(range("2026-05-22", "2026-05-22", 480)).toEqual({
    ok: true,
    value: { startMs: utc("2026-05-21T16:00:00"), endMsExclusive: utc("2026-05-22T16:00:00") },
  });
});

test("a date-time end includes its whole second", () => {
  expect(range("2026-05-22 10:00:00", "2026-05-22 10:00:01", -300)).toEqual({
    ok: true,
    value: { startMs: utc("2026-05-22T15:00:00"), endMsExclusive: utc("2026-05-22T15:00:02") },
  });
});

test("forms can be mixed", () => {
  expect(range("2026-05-22 12:00:00", "2026-05-22").ok).toBe(true);
  expect(range("2026-05-22", "2026-05-22 00:00:01").ok).toBe(true);
});

test.each([
  ["2026-05-23", "2026-05-22"],
  ["2026-05-22 10:00:00", "2026-05-22 10:00:00"],
  ["2026-05-22 10:00:01", "2026-05-22 10:00:00"],
  ["2026-05-22", "2026-05-22 00:00:00"],
])("%s to %s is refused because the end is not after the start", (start, end) => {
  expect(errorOf(range(start, end))).toBe("end_time end_not_after_start");
});

test("90 days are the most, counted inclusively for bare dates", () => {
  expect(range("2026-01-01", "2026-03-31").ok).toBe(true);
  expect(errorOf(range("2026-01-01", "2026-04-01"))).toBe("end_time range_too_long");
  expect(range("2026-01-01 00:00:00", "2026-04-01 00:00:00").ok).toBe(true);
  expect(errorOf(range("2026-01-01 00:00:00", "2026-04-01 00:00:01"))).toBe("end_time range_too_long");
});

test.each([
  "2023-02-30",
  "2023-02-29",
  "2023-13-01",
  "2023-00-10",
  "2023-01-00",
  "2023-01-01 24:00:00",
  "2023-01-01 23:60:00",
  "2023-01-01 23:59:60",
  "2023-1-1",
  "2023-01-01T00:00:00",
  "2023-01-01 00:00",
  "2023-01-01 ",
  "20230101",
  "1672531200000",
  "",
])("the time %j is refused on either side", (text) => {
  expect(errorOf(range(text, "2023-01-02"))).toBe("start_time invalid_parameter");
  expect(errorOf(range("2023-01-01", text))).toBe("end_time invalid_parameter");
});

test("29 February exists in leap years", () => {
  expect(range("2024-02-29", "2024-02-29").ok).toBe(true);
});

test("of two wrong times the start is named", () => {
  expect(errorOf(range("x", "y"))).toBe("start_time invalid_parameter");
});

test("any text is answered, never thrown at, and a range that is accepted is not empty and at most 90 days and a second", () => {
  const digits = fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, "0"));
  const time = fc.oneof(
    fc.string(),
    fc.tuple(digits, digits, digits).map(([y, m, d]) => `20${y}-${m}-${d}`),
    fc.tuple(digits, digits, digits, digits).map(([d, h, m, s]) => `2026-01-${d} ${h}:${m}:${s}`),
  );
  fc.assert(
    fc.property(time, time, fc.integer({ min: -720, max: 840 }), (start, end, offset) => {
      const result = range(start, end, offset);
      if (!result.ok) return;
      const length = result.value.endMsExclusive - result.value.startMs;
      expect(length).toBeGreaterThan(0);
      expect(length).toBeLessThanOrEqual(90 * 86_400_000 + 1_000);
    }),
  );
});
