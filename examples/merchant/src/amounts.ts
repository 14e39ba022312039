import { CardwrightError, fromMinorUnits, toMinorUnits } from "@cardwright/sdk";

/** What this merchant's books are kept in. */
const currency = "USD";

/**
 * The cents of an amount as people, the API and callbacks write it, exactly: `"12.50"` and `12.5` are 1250n. Undefined for anything
 * else, above all for what cents cannot hold (`1.005`).
 */
export function centsOf(amount: unknown): bigint | undefined {
  if (typeof amount !== "string" && typeof amount !== "number") return undefined;
  try {
    return toMinorUnits(amount, currency);
  } catch (error) {
    if (error instanceof CardwrightError) return undefined;
    throw error;
  }
}

/** The text of an amount as the API writes it: 1250n → `12.50`. */
export function toDecimal(cents: bigint): string {
  return fromMinorUnits(cents, currency);
}
