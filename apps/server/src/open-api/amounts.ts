import { decimalsOf, formatAmount } from "@cardwright/money";

/** Cards and reserves are in USD, credit is in TUSDT; both have two decimals, and 1 TUSDT is 1 USD (contract section 9, Money). */
export const amountDecimals = decimalsOf("USD");

/** Minor units as the API writes them: `"100.00"`. */
export function amountText(minor: bigint): string {
  return formatAmount(minor, amountDecimals);
}
