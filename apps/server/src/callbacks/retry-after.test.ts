import { expect, test } from "vitest";
import { patienceOf } from "./retry-after.ts";

const nowMs = Date.UTC(2026, 4, 22, 10, 0, 0);

test.each([
  ["seconds", "7", 7_000],
  ["seconds with spaces", " 120 ", 120_000],
  ["a date", "Fri, 22 May 2026 10:00:30 GMT", 30_000],
  ["nothing", null, 10_000],
  ["nonsense", "soon", 10_000],
  ["a date in another form", "2026-05-22T10:00:30Z", 10_000],
  ["a negative number", "-5", 10_000],
  ["zero", "0", 1_000],
  ["a date that has passed", "Fri, 22 May 2026 09:00:00 GMT", 1_000],
  ["a day", "86400", 3_600_000],
  ["a date next year", "Sat, 22 May 2027 10:00:00 GMT", 3_600_000],
])("Retry-After with %s is understood within its bounds", (_name, header, expected) => {
  expect(patienceOf(header, nowMs)).toBe(expected);
});
