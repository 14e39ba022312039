import { currencyOf, formatAmount, parseAmount } from "@cardwright/money";
import { CardwrightError } from "./errors.ts";

/**
 * The exact minor units of an amount: `("12.50", "USD")` is 1250n, `("1.234", "KWD")` 1234n, `("1000", "JPY")` 1000n. Takes the
 * decimal texts of the API and the numbers of callbacks, which the platform writes in their shortest form. TUSDT has the two
 * decimals of USD. Throws a CardwrightError for what is no amount, has more decimals than the currency, or more digits than
 * are exact, and for a currency that does not exist.
 */
export function toMinorUnits(amount: string | number, currency: string): bigint {
  const text = typeof amount === "number" ? String(amount) : amount;
  const parsed = parseAmount(text, decimalsOf(currency));
  if (!parsed.ok) throw new CardwrightError(`${JSON.stringify(text)} is no amount of ${currency}: ${parsed.reason}`);
  if (typeof amount === "number" && text.replace(/\D/gu, "").length > exactDigitsMax) {
    throw new CardwrightError("a JSON number with more than 15 digits is not exact");
  }
  return parsed.value;
}

/** The decimal text of an amount, with all decimals of its currency, as the API wants it: `(1250n, "USD")` is `"12.50"`. */
export function fromMinorUnits(minor: bigint, currency: string): string {
  return formatAmount(minor, decimalsOf(currency));
}

/** Decimal digits that every double keeps. */
const exactDigitsMax = 15;

/** Digits after the point: 2 for USD, 0 for JPY, 3 for KWD. Throws a CardwrightError for a currency that does not exist. */
export function decimalsOf(currency: string): number {
  const known = currencyOf(currency);
  if (known === undefined)
    throw new CardwrightError(`${JSON.stringify(currency)} is no currency of ISO 4217 and not TUSDT`);
  return known.decimals;
}
