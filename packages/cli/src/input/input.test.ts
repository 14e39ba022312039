import { expect, test } from "vitest";
import { fixedDurationMs, isoDuration } from "./duration.ts";
import { momentOf, offsetOf, periodOf, timeText, timezoneOf } from "./times.ts";

test.each([
  ["7d", "P7D"],
  ["12h", "PT12H"],
  ["30m", "PT30M"],
  ["13mo", "P13M"],
  ["2w", "P2W"],
  ["1y", "P1Y"],
  ["1d12h30m", "P1DT12H30M"],
  ["1h1h", "PT2H"],
  ["90s", "PT90S"],
  ["P7D", "P7D"],
  ["pt1h30m", "PT1H30M"],
])("%s is %s of the platform", (text, iso) => {
  expect(isoDuration(text)).toBe(iso);
});

test.each(["", "7", "d", "-7d", "7 d", "1.5h", "P", "PT", "7days", "P-1D"])("%j is refused as a duration", (text) => {
  expect(() => isoDuration(text)).toThrow("is no duration");
});

test("a length of time is milliseconds, and months have no fixed one", () => {
  expect(fixedDurationMs("1d12h")).toBe(129_600_000);
  expect(fixedDurationMs("500ms")).toBe(500);
  expect(() => fixedDurationMs("1mo")).toThrow("no length of time");
});

test.each([
  ["UTC+8", 480],
  ["UTC-5", -300],
  ["UTC+05:30", 330],
  ["UTC-03:30", -210],
  ["UTC", 0],
])("%s is %i minutes ahead", (text, minutes) => {
  expect(offsetOf(text)).toBe(minutes);
  expect(offsetOf(timezoneOf(minutes))).toBe(minutes);
});

test.each(["UTC+15", "UTC-13", "Europe/Berlin", "+8", "UTC+8:00x"])("%s is refused as a time zone", (text) => {
  expect(() => offsetOf(text)).toThrow("--timezone takes");
});

const moment = { nowMs: Date.UTC(2026, 10, 26, 20), offsetMinutes: 480 };

test("a time is read in the zone in which times are shown, or with its own, or as so long ago", () => {
  expect(momentOf("2026-11-27", moment)).toBe(Date.UTC(2026, 10, 26, 16));
  expect(momentOf("2026-11-27 07:36:28", moment)).toBe(Date.UTC(2026, 10, 26, 23, 36, 28));
  expect(momentOf("2026-11-26T20:00:00Z", moment)).toBe(moment.nowMs);
  expect(momentOf("2h", moment)).toBe(moment.nowMs - 7_200_000);
  expect(timeText(moment.nowMs, 480)).toBe("2026-11-27 04:00:00");
  expect(timeText(0, 480)).toBe("");
  for (const text of ["yesterday", "12", "2026-13-45", "26.11.2026"])
    expect(() => momentOf(text, moment)).toThrow("is no time");
});

test("a list that nobody gives a period is asked for the last 30 days, today included, in the zone", () => {
  expect(periodOf({}, moment)).toEqual({ start_time: "2026-10-29", end_time: "2026-11-27" });
  expect(periodOf({ until: "2026-03-31" }, moment)).toEqual({ start_time: "2026-03-02", end_time: "2026-03-31" });
  expect(periodOf({ since: "24h" }, moment)).toEqual({ start_time: "2026-11-26 04:00:00", end_time: "2026-11-27" });
});
