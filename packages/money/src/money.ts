import type { CurrencyCode } from "./currencies.ts";

/** An amount in minor units (cents of USD, yen of JPY) together with its currency. */
export interface Money {
  readonly minor: bigint;
  readonly currency: CurrencyCode;
}

export function money(minor: bigint, currency: CurrencyCode): Money {
  return { minor, currency };
}

/**
 * The sum of two amounts of one currency. Throws for two currencies: TUSDT and USD are at par, but not one currency.
 */
export function add(left: Money, right: Money): Money {
  requireSameCurrency(left, right);
  return money(left.minor + right.minor, left.currency);
}

/** `left` minus `right`; may be negative. Throws for two currencies. */
export function subtract(left: Money, right: Money): Money {
  requireSameCurrency(left, right);
  return money(left.minor - right.minor, left.currency);
}

/** Negative, zero or positive as `left` is less than, equal to or more than `right`. Throws for two currencies. */
export function compare(left: Money, right: Money): -1 | 0 | 1 {
  requireSameCurrency(left, right);
  if (left.minor === right.minor) return 0;
  return left.minor < right.minor ? -1 : 1;
}

function requireSameCurrency(left: Money, right: Money): void {
  if (left.currency !== right.currency) {
    throw new TypeError(`amounts of ${left.currency} and ${right.currency} were mixed`);
  }
}
