/** Time filters of list requests (contract sections 1 and 9). Texts in, Unix milliseconds out. */
import { RANGE_DAYS_MAX } from "./constants.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;

export const TIMEZONE_DEFAULT = "UTC+8";
const OFFSET_MINUTES_MIN = -12 * 60;
const OFFSET_MINUTES_MAX = 14 * 60;

const TIMEZONE = /^UTC([+-])(\d{1,2})(?::([0-5]\d))?$/;
const LIST_TIME = /^(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}:\d{2}))?$/;

export type TimezoneResult =
  | { readonly ok: true; readonly value: number }
  | { readonly ok: false; readonly field: "timezone"; readonly error: "invalid_parameter" };

/**
 * The `Timezone` header as minutes east of UTC: `UTC+8`, `UTC-5`, `UTC+05:30`, from UTC−12 to UTC+14; an absent header
 * is UTC+8 (section 1). Anything else is 1004.
 */
export function parseTimezone(header: string | undefined): TimezoneResult {
  const match = TIMEZONE.exec(header ?? TIMEZONE_DEFAULT);
  const minutes = match === null ? Number.NaN : Number(match[2]) * 60 + Number(match[3] ?? 0);
  // Adding 0 turns the −0 of "UTC-0" into 0.
  const offset = match?.[1] === "-" ? -minutes + 0 : minutes;
  return offset >= OFFSET_MINUTES_MIN && offset <= OFFSET_MINUTES_MAX
    ? { ok: true, value: offset }
    : { ok: false, field: "timezone", error: "invalid_parameter" };
}

interface ListTime {
  /** The time as if its text were UTC, in Unix ms. */
  readonly utcMs: number;
  readonly bareDate: boolean;
}

function parseListTime(text: string): ListTime | null {
  const match = LIST_TIME.exec(text);
  if (match === null) return null;
  const iso = `${match[1]}T${match[2] ?? "00:00:00"}.000Z`;
  const utcMs = Date.parse(iso);
  // V8 reads 2023-02-30 as 2 March and 24:00:00 as the next midnight; writing it back shows that no such time exists.
  if (!Number.isFinite(utcMs) || new Date(utcMs).toISOString() !== iso) return null;
  return { utcMs, bareDate: match[2] === undefined };
}

/** True for `yyyy-MM-dd` and `yyyy-MM-dd HH:mm:ss` of a day and second that exist. */
export function isListTime(text: string): boolean {
  return parseListTime(text) !== null;
}

export interface ListRange {
  /** First included millisecond. */
  readonly startMs: number;
  /** First millisecond that is not included. */
  readonly endMsExclusive: number;
}

export type ListRangeResult =
  | { readonly ok: true; readonly value: ListRange }
  | {
      readonly ok: false;
      readonly field: "start_time" | "end_time";
      readonly error: "invalid_parameter" | "end_not_after_start" | "range_too_long";
    };

/**
 * The range of a list request in the caller's zone. A bare end date includes that whole day, a date-time end includes
 * that whole second (rows are stamped in milliseconds, and `12:00:00` is meant as the second a person reads on a clock).
 * So `2024-01-05`…`2024-01-05` is one day, while two equal date-times are 1019. At most 90 days: bare dates counted
 * inclusively, date-times by their difference (1020). A text of another form or a time that does not exist is 1004.
 */
export function parseListRange(options: {
  start_time: string;
  end_time: string;
  timezoneOffsetMinutes: number;
}): ListRangeResult {
  const start = parseListTime(options.start_time);
  if (start === null) return { ok: false, field: "start_time", error: "invalid_parameter" };
  const end = parseListTime(options.end_time);
  if (end === null) return { ok: false, field: "end_time", error: "invalid_parameter" };

  const endUtcMs = end.bareDate ? end.utcMs + DAY_MS : end.utcMs;
  if (endUtcMs <= start.utcMs) return { ok: false, field: "end_time", error: "end_not_after_start" };
  if (endUtcMs - start.utcMs > RANGE_DAYS_MAX * DAY_MS) {
    return { ok: false, field: "end_time", error: "range_too_long" };
  }
  const offsetMs = options.timezoneOffsetMinutes * MINUTE_MS;
  return {
    ok: true,
    value: {
      startMs: start.utcMs - offsetMs,
      endMsExclusive: endUtcMs + (end.bareDate ? 0 : SECOND_MS) - offsetMs,
    },
  };
}
