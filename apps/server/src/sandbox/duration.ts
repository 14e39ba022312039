import { ok, type Result, refused } from "#kernel/index.ts";

export type DurationRefusal = "not_a_duration" | "not_positive" | "too_long";

/** 13 months and a bit: one call can pass any hold, fee period and statement. */
export const durationDaysMax = 400;

const form =
  /^P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,9})W)?(?:(\d{1,9})D)?(?:T(?=\d)(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?$/u;
const unitsMs = [7 * 86_400_000, 86_400_000, 3_600_000, 60_000, 1_000];

/**
 * Reads an ISO 8601 duration, e.g. `P7D`, `PT1H30M` or `P13M`, as the milliseconds from `from` (Unix ms) on. Years and months are
 * those of the UTC calendar and come first; a month without that day ends on its last one.
 */
export function parseDuration(text: string, options: { readonly from: number }): Result<number, DurationRefusal> {
  const parts = form.exec(text)?.slice(1);
  if (parts === undefined || parts.every((part) => part === undefined)) {
    return refused("not_a_duration");
  }
  const [years = 0, months = 0, ...units] = parts.map((part) => Number(part ?? "0"));
  const fixed = units.reduce((sum, count, place) => sum + count * (unitsMs[place] ?? 0), 0);
  const ms = monthsAfter(options.from, years * 12 + months) - options.from + fixed;
  if (ms === 0) {
    return refused("not_positive");
  }
  return ms <= durationDaysMax * 86_400_000 ? ok(ms) : refused("too_long");
}

function monthsAfter(from: number, months: number): number {
  if (months === 0) {
    return from;
  }
  const date = new Date(from);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth() + months];
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(date.getUTCDate(), lastDay)) + (from % 86_400_000);
}
