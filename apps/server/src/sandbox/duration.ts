import { ok, type Result, refused } from "#kernel/index.ts";

export type DurationRefusal = "not_a_duration" | "months_and_years_vary" | "not_positive" | "too_long";

/** 13 months and a bit: one call can pass any hold, fee period and statement. */
export const durationDaysMax = 400;

const form = /^P(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/u;
const withMonthsOrYears = /^P(?=[^T]*[YM])(?:\d+[YMWD])+(?:T|$)/u;
const unitsMs = [7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1_000];

/** Reads an ISO 8601 duration of weeks, days, hours, minutes and seconds, e.g. `P7D` or `PT1H30M`, as milliseconds. */
export function parseDuration(text: string): Result<number, DurationRefusal> {
  const parts = form.exec(text)?.slice(1);
  if (parts === undefined) {
    return refused(withMonthsOrYears.test(text) ? "months_and_years_vary" : "not_a_duration");
  }
  if (parts.every((part) => part === undefined)) {
    return refused("not_a_duration");
  }
  const ms = parts.reduce((sum, part, place) => sum + Number(part ?? "0") * (unitsMs[place] ?? 0), 0);
  if (ms === 0) {
    return refused("not_positive");
  }
  return ms > durationDaysMax * 86_400_000 ? refused("too_long") : ok(ms);
}
