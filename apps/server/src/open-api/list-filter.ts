import { type ListRange, PAGE_DEFAULT, parseListRange, SIZE_DEFAULT } from "@cardwright/contract";
import { firstOrderNumberAt, type OrderKind, ok } from "#kernel/index.ts";
import type { Call } from "./admission.ts";
import { type Answer, fail } from "./answer.ts";

interface Period {
  readonly start_time: string;
  readonly end_time: string;
}

interface Paging {
  readonly page?: number | undefined;
  readonly size?: number | undefined;
}

/** `start_time` and `end_time` in the caller's time zone (contract sections 1 and 9: 1004, 1019, 1020). */
export function periodOf(call: Call, { start_time, end_time }: Period): Answer<ListRange> {
  const { timezoneOffsetMinutes } = call;
  const range = parseListRange({ start_time, end_time, timezoneOffsetMinutes });
  return range.ok ? ok(range.value) : fail(range.error, range.field);
}

/** The first and the last moment that four digits of a year can say; numbers of other times do not exist. */
const firstMs = 0;
const lastMs = Date.UTC(9999, 11, 31);

/** The numbers that were made in a period: they sort by time, so it is one range of them; the end is excluded. */
export function numbersOf(
  kind: OrderKind,
  { startMs, endMsExclusive }: ListRange,
): { readonly fromNumber: string; readonly beforeNumber: string } {
  const numberAt = (ms: number): string => firstOrderNumberAt(kind, Math.min(Math.max(ms, firstMs), lastMs));
  return { fromNumber: numberAt(startMs), beforeNumber: numberAt(endMsExclusive) };
}

export function pageOf({ page = PAGE_DEFAULT, size = SIZE_DEFAULT }: Paging): {
  readonly page: number;
  readonly size: number;
} {
  return { page, size };
}

export function rowsOf(paging: Paging): { readonly offset: number; readonly limit: number } {
  const { page, size } = pageOf(paging);
  return { offset: page * size, limit: size };
}
