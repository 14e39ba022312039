import type { FreeCount } from "#products/index.ts";
import { type CardCalendar, daysSinceOpening } from "./card-calendar.ts";

/**
 * What is stored of a free count, per card and schedule: how many free ones were used in the exemption period `period`. Two
 * whole numbers, both zero at first; a new period needs no write, it is seen when the next free one is used.
 */
export interface FreeCounter {
  readonly used: number;
  readonly period: number;
}

export const unusedCounter: FreeCounter = { used: 0, period: 0 };

/** An instant in a card's life; `at` is Unix ms. */
export interface CardMoment extends CardCalendar {
  readonly at: number;
}

/** How many free ones are left at that moment (contract section 3.1: `Forever`, `None`, `Day`). */
export function freeLeft(counter: FreeCounter, rule: FreeCount, moment: CardMoment): number {
  const { used: alreadyUsed } = counterAt(counter, rule, moment);
  return Math.max(0, freePerPeriod(rule) - alreadyUsed);
}

/**
 * The counter after one more: a free one is used up where one is left, otherwise nothing changes. The last free one is the
 * last change of a period, so the counter never runs away.
 */
export function used(counter: FreeCounter, rule: FreeCount, moment: CardMoment): FreeCounter {
  if (freeLeft(counter, rule, moment) === 0) {
    return counter;
  }
  const now = counterAt(counter, rule, moment);
  return { used: now.used + 1, period: now.period };
}

/** What somebody who counts by himself must know: how many are free in a period, and which period it is. */
export interface FreeAllowance {
  readonly max: number;
  readonly period: number;
}

/** The same rule for the decision's statement, which alone sees the locked counter: a newer period counts from zero. */
export function freeAllowance(rule: FreeCount, moment: CardMoment): FreeAllowance {
  return { max: freePerPeriod(rule), period: periodOf(rule, moment) };
}

/** A period of no days never begins, so nothing is free in it. */
function freePerPeriod(rule: FreeCount): number {
  switch (rule.type) {
    case "Forever":
      return rule.count;
    case "None":
      return 0;
    case "Day":
      return rule.days > 0 ? rule.count : 0;
  }
}

/**
 * The counter as it stands in the period of `moment`. A message that comes with an older time counts in the newest period
 * seen: otherwise two processes whose clocks differ around midnight could give the same free ones twice.
 */
function counterAt(counter: FreeCounter, rule: FreeCount, moment: CardMoment): FreeCounter {
  const period = periodOf(rule, moment);
  return period > counter.period ? { used: 0, period } : counter;
}

/** Periods are whole local days counted from the card's opening day; that day is in period 0. */
function periodOf(rule: FreeCount, moment: CardMoment): number {
  if (rule.type !== "Day" || rule.days <= 0) {
    return 0;
  }
  return Math.max(0, Math.floor(daysSinceOpening(moment, moment.at) / rule.days));
}
