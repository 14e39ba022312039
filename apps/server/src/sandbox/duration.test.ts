import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

const hourMs = 3_600_000;
const from = Date.UTC(2026, 0, 31, 10);

test.each([
  ["P7D", 7 * 24 * hourMs],
  ["PT1H30M", 1.5 * hourMs],
  ["P1DT12H", 36 * hourMs],
  ["PT90S", 90_000],
  ["P2W", 14 * 24 * hourMs],
  ["P400D", 400 * 24 * hourMs],
  ["P1DT2H3M4S", 26 * hourMs + 184_000],
])("%s is read as milliseconds", (text, ms) => {
  expect(parseDuration(text, { from })).toEqual({ ok: true, value: ms });
});

test.each([
  ["P0M", "not_positive"],
  ["P14M", "too_long"],
  ["P2Y", "too_long"],
  ["P1D2M", "not_a_duration"],
  ["P0D", "not_positive"],
  ["PT0S", "not_positive"],
  ["P401D", "too_long"],
  ["P400DT1S", "too_long"],
  ["P999999999D", "too_long"],
  ["", "not_a_duration"],
  ["P", "not_a_duration"],
  ["PT", "not_a_duration"],
  ["P7DT", "not_a_duration"],
  ["7D", "not_a_duration"],
  ["-P7D", "not_a_duration"],
  ["P-7D", "not_a_duration"],
  ["P1.5D", "not_a_duration"],
  ["p7d", "not_a_duration"],
  ["P7D ", "not_a_duration"],
  ["PT1M1H", "not_a_duration"],
  ["P9999999999999999999999D", "not_a_duration"],
])("%j is refused as %s", (text, reason) => {
  expect(parseDuration(text, { from })).toEqual({ ok: false, reason });
});

test.each([
  ["P1M", Date.UTC(2026, 1, 28, 10)],
  ["P13M", Date.UTC(2027, 1, 28, 10)],
  ["P1Y", Date.UTC(2027, 0, 31, 10)],
  ["P2M1DT1H", Date.UTC(2026, 3, 1, 11)],
])("%s is counted in calendar months from the moment on", (text, end) => {
  expect(parseDuration(text, { from })).toEqual({ ok: true, value: end - from });
});
