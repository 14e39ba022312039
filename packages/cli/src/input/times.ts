import { wrongUsage } from "../exit-codes.ts";
import { fixedDurationMs } from "./duration.ts";

const minuteMs = 60_000;
/** As the platform takes them: UTC−12 to UTC+14. */
const offsetMinutesMin = -12 * 60;
const offsetMinutesMax = 14 * 60;

/** Minutes ahead of UTC of `UTC+8`, `UTC-5` or `UTC+05:30`. */
export function offsetOf(timezone: string): number {
  const found = /^UTC(?:(?<sign>[+-])(?<hours>\d{1,2})(?::(?<minutes>[0-5]\d))?)?$/u.exec(timezone)?.groups;
  const { sign = "+", hours = "0", minutes = "0" } = found ?? {};
  const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  if (found === undefined || offset < offsetMinutesMin || offset > offsetMinutesMax) {
    throw wrongUsage(`--timezone takes UTC+8, UTC-5 or UTC+05:30, from UTC-12 to UTC+14, not "${timezone}".`);
  }
  return offset;
}

/** `UTC+8` of 480. */
export function timezoneOf(offsetMinutes: number): string {
  const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
  const sign = offsetMinutes < 0 ? "-" : "+";
  return minutes === 0
    ? `UTC${sign}${hours}`
    : `UTC${sign}${String(hours).padStart(2, "0")}:${String(minutes).padStart(2, "0")}`;
}

/** This machine's, at present. */
export const localOffsetMinutes = (): number => -new Date().getTimezoneOffset();

/** `2026-11-26 07:36:28` in a time zone; "" for 0, which is how the platform says that there is none. */
export function timeText(ms: number, offsetMinutes: number): string {
  return ms === 0
    ? ""
    : new Date(ms + offsetMinutes * minuteMs)
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/u, "");
}

const dateForm = /^\d{4}-\d{2}-\d{2}$/u;
const dateTimeForm = /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(?::\d{2})?$/u;

export interface Moment {
  readonly nowMs: number;
  readonly offsetMinutes: number;
}

/** Unix ms of `2026-11-26`, `2026-11-26 07:36[:28]` (in the zone), an ISO time with a zone, or `2h` (so long ago). */
export function momentOf(text: string, { nowMs, offsetMinutes }: Moment): number {
  if (/^\d+(?:ms|[wdhms])/u.test(text)) {
    return nowMs - fixedDurationMs(text);
  }
  const inZone = dateForm.test(text) || dateTimeForm.test(text);
  const iso = dateForm.test(text) ? `${text}T00:00:00` : text.replace(" ", "T");
  const ms = Date.parse(inZone ? `${iso}Z` : text);
  if (Number.isNaN(ms) || !/^\d{4}-/u.test(text)) {
    throw wrongUsage(`"${text}" is no time: write 2026-11-26, "2026-11-26 07:36:28", or 2h for two hours ago.`);
  }
  return inZone ? ms - offsetMinutes * minuteMs : ms;
}

/** A time filter of the Open API, which takes dates and whole seconds in the caller's zone. */
export function listTimeOf(text: string, moment: Moment): string {
  return dateForm.test(text) ? text : timeText(momentOf(text, moment), moment.offsetMinutes);
}

/** Of lists that are asked for without a period. */
const periodDaysDefault = 30;

/** `start_time` and `end_time` of the last 30 days, by whole days; of the days around a period that is half given. */
export function periodOf(
  given: { readonly since?: string | undefined; readonly until?: string | undefined },
  moment: Moment,
): { readonly start_time: string; readonly end_time: string } {
  const day = (ms: number): string => timeText(ms, moment.offsetMinutes).slice(0, 10);
  const dayMs = 86_400_000;
  const end = given.until ?? day(moment.nowMs);
  const endMs = momentOf(end, moment);
  const start = given.since ?? day(endMs - (periodDaysDefault - 1) * dayMs);
  return { start_time: listTimeOf(start, moment), end_time: listTimeOf(end, moment) };
}
