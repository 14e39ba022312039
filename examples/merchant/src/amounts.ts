const decimal = /^(?<sign>-?)(?<whole>\d{1,13})(?:\.(?<fraction>\d{1,20}))?$/u;

/**
 * The minor units (cents) of a decimal text, exactly: `12.5` → 1250n. The API writes amounts as strings and callbacks as
 * JSON numbers; give this the number's raw text, because `0.29 * 100` is 28.999999999999996 in floating point.
 * Answers undefined for what cents cannot hold (`1.005`), exponents, and 14 or more digits before the point.
 */
export function toMinorUnits(decimalText: string): bigint | undefined {
  const groups = decimal.exec(decimalText)?.groups;
  if (groups === undefined) return undefined;
  const { sign = "", whole = "", fraction = "" } = groups;
  if (/[1-9]/u.test(fraction.slice(2))) return undefined;
  const minor = BigInt(whole + fraction.slice(0, 2).padEnd(2, "0"));
  return sign === "-" ? -minor : minor;
}

/** The text of an amount as the API writes it: 1250n → `12.50`. */
export function toDecimal(minor: bigint): string {
  const digits = (minor < 0n ? -minor : minor).toString().padStart(3, "0");
  return `${minor < 0n ? "-" : ""}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
