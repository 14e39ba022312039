import { type CurrencyCode, decimalsOf } from "./currencies.ts";
import { type DecimalRefusal, joinDecimal, scaleMax, shortestDecimalText, splitDecimal } from "./decimal.ts";
import { divideHalfUp } from "./rounding.ts";

/** An exact decimal: `units` × 10^-scale. A fee rate is a fraction (0.05 is 5 %, contract section 3.1). */
export interface Rate {
  readonly units: bigint;
  readonly scale: number;
}

export type RateRefusal = DecimalRefusal | "negative";
export type RateResult =
  | { readonly ok: true; readonly value: Rate }
  | { readonly ok: false; readonly reason: RateRefusal };

/** Reads a rate of at most 12 decimals and 15 integer digits. Equal rates become equal values: `0.050` is `0.05`. */
export function parseRate(text: string): RateResult {
  const parts = splitDecimal(text, scaleMax);
  if (!parts.ok) return parts;
  const fraction = parts.value.fraction.replace(/0+$/, "");
  const units = joinDecimal({ ...parts.value, fraction }, fraction.length);
  if (units < 0n) return { ok: false, reason: "negative" };
  return { ok: true, value: { units, scale: fraction.length } };
}

/** The shortest exact text: `0.05`, `1`. */
export function formatRate(rate: Rate): string {
  return shortestDecimalText(rate.units, rate.scale);
}

/** `minor` × `rate` in minor units of the same currency; half up, for negative amounts away from zero. */
export function applyRate(minor: bigint, rate: Rate): bigint {
  return divideHalfUp({ dividend: minor * rate.units, divisor: powerOfTen(rate.scale) });
}

export interface Conversion {
  /** Minor units of `from`. */
  readonly minor: bigint;
  readonly from: CurrencyCode;
  readonly to: CurrencyCode;
  /** How much of `to` one whole unit of `from` buys: 0.0064 from JPY to USD, whatever the decimals of the two. */
  readonly rate: Rate;
}

/** The amount in minor units of `to`; half up once, at the end. */
export function convert({ minor, from, to, rate }: Conversion): bigint {
  return divideHalfUp({
    dividend: minor * rate.units * powerOfTen(decimalsOf(to)),
    divisor: powerOfTen(rate.scale) * powerOfTen(decimalsOf(from)),
  });
}

function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}
