import type { FeeRow } from "#consumptions/index.ts";
import { type ChargedTransaction, type SmallDecision, type TransactionFees, transactionFees } from "#fees/index.ts";
import type { ProductRates } from "#products/index.ts";
import { cardCurrency } from "./billing.ts";
import type { LockedCard, SideCounters } from "./locked-card.ts";
import type { Schedules } from "./schedules.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** What a transaction costs on both sides; minor units. */
export interface SideFees {
  /** 0 in authorization mode. */
  readonly cardholderFee: bigint;
  readonly reserveFee: bigint;
  /** What the merchant is shown: the cardholder's side in credit mode, otherwise the reserve's (contract section 2). */
  readonly shown: { readonly fee: bigint; readonly feeRows: readonly FeeRow[] };
  readonly smallFee: SmallDecision;
  readonly smallCost: SmallDecision;
  /** The very same object where no free one was used. */
  readonly counters: SideCounters;
}

interface Payer {
  readonly card: LockedCard;
  readonly schedules: Schedules;
  readonly counters: SideCounters;
  readonly at: number;
}

/**
 * What a purchase or withdrawal of `amount` costs by the card's schedules. While more parts may follow (`more`) it is not known
 * whether it will be a small one, so where that was not decided at the authorization it is left open.
 */
export function spendingFees(
  payer: Payer,
  spending: Pick<CardTransaction, "type" | "localCurrency" | "wallet" | "smallFee" | "smallCost"> & {
    readonly amount: bigint;
    readonly more: boolean;
  },
): SideFees {
  const { amount, more, localCurrency: currency, wallet } = spending;
  const kind = spending.type === "Atm" ? "withdrawal" : "purchase";
  return bothSides(payer, (side, schedule) => {
    const small = side === "cardholder" ? spending.smallFee : spending.smallCost;
    return {
      schedule: more && small === "open" ? { ...schedule, smallConsumeFee: 0n } : schedule,
      transaction: { kind, amount, currency, wallet, small },
    };
  });
}

/** What a refund costs; the cardholder pays for what reaches its account. */
export function refundFees(
  payer: Payer,
  refund: { readonly toCardholder: bigint; readonly toReserve: bigint },
): SideFees {
  return bothSides(payer, (side, schedule) => ({
    schedule,
    transaction: { kind: "refund", amount: side === "cardholder" ? refund.toCardholder : refund.toReserve },
  }));
}

/** What a decline or a cancel costs, which is charged by itself. */
export function chargedFees(payer: Payer, charged: ChargedTransaction): SideFees {
  return bothSides(payer, (_side, schedule) => ({ schedule, transaction: charged }));
}

function bothSides(
  { card, schedules, counters, at }: Payer,
  inputOf: (
    side: keyof SideCounters,
    schedule: ProductRates,
  ) => { readonly schedule: ProductRates; readonly transaction: ChargedTransaction },
): SideFees {
  const { openedAt, utcOffsetMinutes } = card;
  const feeCard = { currency: cardCurrency, openedAt, utcOffsetMinutes, at };
  const of = (side: keyof SideCounters, schedule: ProductRates): TransactionFees =>
    transactionFees({ ...inputOf(side, schedule), counters: counters[side], card: feeCard });
  const reserve = of("reserve", schedules.reserve);
  const own = schedules.cardholder === null ? null : of("cardholder", schedules.cardholder);
  const shown = own ?? reserve;
  const isSame = reserve.counters === counters.reserve && (own === null || own.counters === counters.cardholder);
  return {
    cardholderFee: own?.total ?? 0n,
    reserveFee: reserve.total,
    shown: { fee: shown.total, feeRows: shown.rows },
    smallFee: own?.small ?? "open",
    smallCost: reserve.small,
    counters: isSame ? counters : { cardholder: own?.counters ?? counters.cardholder, reserve: reserve.counters },
  };
}
