import type { FeeType } from "@cardwright/contract";
import { applyRate, type Rate } from "@cardwright/money";
import type { FeeRow } from "#consumptions/index.ts";

/** A row of a fixed amount (minor units), or none when it is zero: `fee_detail` shows only what costs something. */
export function fixedFee(feeType: FeeType, amount: bigint): FeeRow[] {
  if (amount < 0n) throw new RangeError(`${feeType} is below zero`);
  return amount === 0n ? [] : [{ feeType, amount }];
}

/** A share of an amount as a row; minor units, rounded half up by itself, so that each row can be checked alone. */
export function rateFee(
  feeType: FeeType,
  { amount, rate }: { readonly amount: bigint; readonly rate: Rate },
): FeeRow[] {
  return fixedFee(feeType, applyRate(amount, rate));
}

/** The withdrawal's row: its rate, but never less than the minimum. */
export function withdrawalFee(amount: bigint, rates: { readonly atmRate: Rate; readonly atmMinFee: bigint }): FeeRow[] {
  const byRate = applyRate(amount, rates.atmRate);
  return fixedFee("Atm_fee", byRate > rates.atmMinFee ? byRate : rates.atmMinFee);
}

/** `fee` is always the sum of `fee_detail` (contract section 6); minor units. */
export function sumOfFees(rows: readonly FeeRow[]): bigint {
  return rows.reduce((sum, row) => sum + row.amount, 0n);
}
