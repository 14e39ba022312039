const dayMs = 86_400_000;
const minuteMs = 60_000;

/** Where a card's days and periods are counted from: the day it was opened, in the time zone it was opened in. */
export interface CardCalendar {
  /** Unix ms. */
  readonly openedAt: number;
  /** Minutes ahead of UTC, fixed for the card's life: card time zones have no summer time (contract section 1). */
  readonly utcOffsetMinutes: number;
}

/** Whole local days from the card's opening day to the day of `at` (Unix ms); the opening day is 0. */
export function daysSinceOpening(card: CardCalendar, at: number): number {
  return localDay(card, at) - localDay(card, card.openedAt);
}

/** Whole calendar months from the month of the opening to the month of `at`, whatever the days. */
export function monthsSinceOpening(card: CardCalendar, at: number): number {
  return localMonth(card, at) - localMonth(card, card.openedAt);
}

/**
 * Unix ms of local midnight on the opening day's date `months` later. A month too short for that date gives its last day:
 * the 31st becomes 28 or 29 February, then 31 March again, because it is always counted from the opening day.
 */
export function monthsAfterOpening(card: CardCalendar, months: number): number {
  const opened = localDate(card, card.openedAt);
  const year = opened.getUTCFullYear();
  const month = opened.getUTCMonth() + months;
  const lastDay = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  return Date.UTC(year, month, Math.min(opened.getUTCDate(), lastDay)) - card.utcOffsetMinutes * minuteMs;
}

/** Unix ms, one local day earlier: without summer time every day has 24 hours. */
export function dayBefore(at: number): number {
  return at - dayMs;
}

function localDay(card: CardCalendar, at: number): number {
  return Math.floor((at + card.utcOffsetMinutes * minuteMs) / dayMs);
}

function localMonth(card: CardCalendar, at: number): number {
  const date = localDate(card, at);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

/** A Date whose UTC fields are the card's local ones. */
function localDate(card: CardCalendar, at: number): Date {
  return new Date(at + card.utcOffsetMinutes * minuteMs);
}
