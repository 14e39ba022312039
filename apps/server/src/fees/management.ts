import type { ManageFeeType } from "@cardwright/contract";
import type { ManagementFee } from "#products/index.ts";
import { type CardCalendar, dayBefore, monthsAfterOpening, monthsSinceOpening } from "./card-calendar.ts";

/** What a card did in one management period: purchases and withdrawals count, fees, refunds and reversed ones do not. */
export interface PeriodActivity {
  /** Minor units of the card's currency, without fees. */
  readonly spending: bigint;
  readonly purchases: number;
}

export const noActivity: PeriodActivity = { spending: 0n, purchases: 0 };

/** Whether a period's activity reaches the threshold that waives the fee; exactly the threshold reaches it. */
export function waived({ schedule, ...activity }: PeriodActivity & { readonly schedule: ManagementFee }): boolean {
  switch (schedule.freeType) {
    case "None":
      return false;
    case "Amount":
      return activity.spending >= schedule.freeThreshold;
    case "Count":
      return BigInt(activity.purchases) >= schedule.freeThreshold;
  }
}

/** One month or year of a card's life. All times Unix ms. */
export interface ManagementPeriod {
  /** 0 is the period that begins with the opening. */
  readonly index: number;
  /** Local midnight, but the opening itself for the first one. The fee is taken now. */
  readonly startsAt: number;
  /** The start of the next one. */
  readonly endsAt: number;
  /** When a fee that could not be taken is tried again: midnight at the start of the last day of the period's first month. */
  readonly retryAt: number;
}

/** A card's management periods; `type` is `manage_fee_type`. */
export interface ManagementCalendar extends CardCalendar {
  readonly type: Exclude<ManageFeeType, "None">;
}

/** The period of an index, from 0. Boundaries are counted from the opening day, so they do not drift in short months. */
export function managementPeriod(calendar: ManagementCalendar, index: number): ManagementPeriod {
  if (!Number.isInteger(index) || index < 0) throw new RangeError("a management period's index is 0 or more");
  const months = monthsPerPeriod(calendar.type);
  const first = index * months;
  return {
    index,
    startsAt: index === 0 ? calendar.openedAt : monthsAfterOpening(calendar, first),
    endsAt: monthsAfterOpening(calendar, first + months),
    retryAt: dayBefore(monthsAfterOpening(calendar, first + 1)),
  };
}

/** The period that `at` (Unix ms) lies in; before the opening it is the first one. */
export function managementPeriodAt(calendar: ManagementCalendar, at: number): ManagementPeriod {
  const months = monthsSinceOpening(calendar, at);
  // In the month of `at` the boundary may still lie ahead: then the month before it is the last that has begun.
  const begun = monthsAfterOpening(calendar, months) <= at ? months : months - 1;
  return managementPeriod(calendar, Math.max(0, Math.floor(begun / monthsPerPeriod(calendar.type))));
}

/** The first period that starts after `at` (Unix ms): when the next fee is due. */
export function nextManagementPeriod(calendar: ManagementCalendar, at: number): ManagementPeriod {
  return at < calendar.openedAt
    ? managementPeriod(calendar, 0)
    : managementPeriod(calendar, managementPeriodAt(calendar, at).index + 1);
}

function monthsPerPeriod(type: ManagementCalendar["type"]): number {
  switch (type) {
    case "Month":
      return 1;
    case "Year":
      return 12;
  }
}
