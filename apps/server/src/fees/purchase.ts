import type { Rate } from "@cardwright/money";
import type { FeeRow } from "#consumptions/index.ts";
import { rateFee, withdrawalFee } from "./rows.ts";

/** The part of a schedule that a plain purchase needs: of a package (cardholder's side) or a BIN (reserve's side). */
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
 * The fee rows of a purchase in the card's currency without small-transaction and wallet fee: what `transactionFees` gives
 * where a schedule has no more than these rates (contract section 3.1). Added on top: 100 at 5 % takes 105. An account
 * verification (amount zero) costs nothing.
 */
export function purchaseFees(purchase: Purchase, rates: PurchaseRates): FeeRow[] {
  const { type, amount } = purchase;
  if (amount === 0n) {
    return [];
  }
  return type === "Atm" ? withdrawalFee(amount, rates) : rateFee("Consume_fee", { amount, rate: rates.consumeRate });
}
