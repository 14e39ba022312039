import { applyRate, type Rate } from "@cardwright/money";
import type { FeeRow } from "#consumptions/index.ts";

/** What a purchase costs on one side: the cardholder's (a package) or the reserve's (a BIN). */
export interface PurchaseRates {
  readonly consumeRate: Rate;
  readonly atmRate: Rate;
  /** Minor units. */
  readonly atmMinFee: bigint;
}

export interface Purchase {
  readonly type: "Consumption" | "Atm";
  /** Minor units of the card's currency. */
  readonly amount: bigint;
}

/**
 * The fee rows of a purchase, added on top of its amount (contract section 3.1): 100 at 5 % takes 105. Rounded half up, each
 * row by itself; rows of zero are left out. An account verification (amount zero) costs nothing.
 */
export function purchaseFees(purchase: Purchase, rates: PurchaseRates): FeeRow[] {
  if (purchase.amount === 0n) {
    return [];
  }
  const row = purchase.type === "Atm" ? atmFee(purchase.amount, rates) : consumeFee(purchase.amount, rates);
  return row.amount > 0n ? [row] : [];
}

function consumeFee(amount: bigint, rates: PurchaseRates): FeeRow {
  return { feeType: "Consume_fee", amount: applyRate(amount, rates.consumeRate) };
}

function atmFee(amount: bigint, rates: PurchaseRates): FeeRow {
  const byRate = applyRate(amount, rates.atmRate);
  return { feeType: "Atm_fee", amount: byRate > rates.atmMinFee ? byRate : rates.atmMinFee };
}

export function sumOfFees(rows: readonly FeeRow[]): bigint {
  return rows.reduce((sum, row) => sum + row.amount, 0n);
}
