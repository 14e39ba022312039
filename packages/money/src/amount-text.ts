import { type DecimalRefusal, decimalText, joinDecimal, shortestDecimalText, splitDecimal } from "./decimal.ts";

export type AmountRefusal = DecimalRefusal;
export type AmountResult<Reason> =
  | { readonly ok: true; readonly value: bigint }
  | { readonly ok: false; readonly reason: Reason };

/**
 * Reads an amount as the API writes it (contract section 1) into minor units. Accepts `-?digits[.digits]` with at most
 * `decimals` decimals and 15 integer digits; more decimals are refused even when they are zeros, because what cannot be
 * held must not be read. `-0` is 0.
 */
export function parseAmount(text: string, decimals: number): AmountResult<AmountRefusal> {
  const parts = splitDecimal(text, decimals);
  return parts.ok ? { ok: true, value: joinDecimal(parts.value, decimals) } : parts;
}

/** Like `parseAmount`, and refuses zero and less with `not_positive`. */
export function parsePositiveAmount(text: string, decimals: number): AmountResult<AmountRefusal | "not_positive"> {
  const amount = parseAmount(text, decimals);
  if (amount.ok && amount.value <= 0n) return { ok: false, reason: "not_positive" };
  return amount;
}

/** Exact text with all decimals of the currency, as requests and responses carry it: (10000n, 2) is `100.00`. */
export function formatAmount(minor: bigint, decimals: number): string {
  return decimalText(minor, decimals);
}

/** Exact text without trailing zeros, as the number in a callback is written (contract section 6): `100`, `12.5`. */
export function formatShortest(minor: bigint, decimals: number): string {
  return shortestDecimalText(minor, decimals);
}

/**
 * The amount as a JavaScript number for a serialiser that takes nothing else. Throws a RangeError when the number would
 * not be written back as `formatShortest` writes it; amounts of at most 15 significant digits never do.
 */
export function toJsonNumber(minor: bigint, decimals: number): number {
  const text = formatShortest(minor, decimals);
  const number = Number(text);
  if (String(number) !== text) throw new RangeError("the amount has more digits than a JSON number can carry exactly");
  return number;
}
