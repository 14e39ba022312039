import { expect, test } from "vitest";
import { parseDuration } from "./duration.ts";

const hourMs = 3_600_000;

test.each([
  ["P7D", 7 * 24 * hourMs],
  ["PT1H30M", 1.5 * hourMs],
  ["P1DT12H", 36 * hourMs],
  ["PT90S", 90_000],
  ["P2W", 14 * 24 * hourMs],
  ["P400D", 400 * 24 * hourMs],
  ["P1DT2H3M4S", 26 * hourMs + 184_000],
])("%s is read as milliseconds", (text, ms) => {
  expect(parseDuration(text)).toEqual({ ok: true, value: ms });
});

test.each([
  ["P1M", "months_and_years_vary"],
  ["P1Y", "months_and_years_vary"],
  ["P1Y2M3DT4H", "months_and_years_vary"],
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
  expect(parseDuration(text)).toEqual({ ok: false, reason });
});
