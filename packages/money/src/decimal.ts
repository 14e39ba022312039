/**
 * Integer digits that a text may have, leading zeros not counted: far above any real amount, and it bounds the work.
 */
const integerDigitsMax = 15;
/** Rates have the most decimals; a scale beyond is a mistake of the caller. */
export const scaleMax = 12;
/** `-0.05`, `100`, `007.50`; no plus sign, exponent, blank, group separator, bare point or digit beyond ASCII. */
const shape = /^(-?)(\d+)(?:\.(\d+))?$/;

/** The parts of a decimal text, unscaled. */
export interface DecimalParts {
  readonly negative: boolean;
  readonly integer: string;
  readonly fraction: string;
}

export type DecimalRefusal = "not_a_number" | "too_many_decimals" | "too_large";

/** Takes a decimal text apart, or says what is wrong with it, in the order of `DecimalRefusal`. */
export function splitDecimal(
  text: string,
  scale: number,
): { readonly ok: true; readonly value: DecimalParts } | { readonly ok: false; readonly reason: DecimalRefusal } {
  requireScale(scale);
  const match = shape.exec(text);
  if (match === null) return { ok: false, reason: "not_a_number" };
  const [, sign = "", digits = "", fraction = ""] = match;
  if (fraction.length > scale) return { ok: false, reason: "too_many_decimals" };
  const integer = digits.replace(/^0+(?=\d)/, "");
  if (integer.length > integerDigitsMax) return { ok: false, reason: "too_large" };
  return { ok: true, value: { negative: sign === "-", integer, fraction } };
}

/** The parts as one whole number of units of 10^-scale; a shorter fraction is filled with zeros. */
export function joinDecimal(parts: DecimalParts, scale: number): bigint {
  const magnitude = BigInt(parts.integer + parts.fraction.padEnd(scale, "0"));
  return parts.negative ? -magnitude : magnitude;
}

/** Exact text of `units` × 10^-scale with all its decimals: (10000n, 2) is `100.00`. */
export function decimalText(units: bigint, scale: number): string {
  requireScale(scale);
  const sign = units < 0n ? "-" : "";
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, "0");
  if (scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The same text without the zeros that say nothing: `100`, `12.5`, `0.05`. */
export function shortestDecimalText(units: bigint, scale: number): string {
  const text = decimalText(units, scale);
  return scale === 0 ? text : text.replace(/\.?0+$/, "");
}

function requireScale(scale: number): void {
  if (!Number.isInteger(scale) || scale < 0 || scale > scaleMax) {
    throw new RangeError(`decimals must be a whole number from 0 to ${scaleMax}, not ${scale}`);
  }
}
