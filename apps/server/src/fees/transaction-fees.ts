import type { FeeRow } from "#consumptions/index.ts";
import { unreachable } from "#kernel/index.ts";
import type { FreeCount, ProductRates } from "#products/index.ts";
import { exchangeRate, isCrossBorder } from "./cross-border.ts";
import { type CardMoment, type FreeCounter, freeLeft, unusedCounter, used } from "./free-count.ts";
import { fixedFee, rateFee, sumOfFees, withdrawalFee } from "./rows.ts";
import type { ChargedTransaction, SmallDecision, SpendingTransaction } from "./transaction.ts";

/** Per card and side: in credit mode the package's and the BIN's counters run apart, each by its own schedule. */
export interface FeeCounters {
  readonly small: FreeCounter;
  readonly decline: FreeCounter;
  readonly cancel: FreeCounter;
}

export const unusedCounters: FeeCounters = { small: unusedCounter, decline: unusedCounter, cancel: unusedCounter };

/** The card at the moment of the transaction; `currency` is what it is billed in (ISO 4217, or TUSDT). */
export interface FeeCard extends CardMoment {
  readonly currency: string;
}

export interface FeeInput {
  readonly schedule: ProductRates;
  readonly transaction: ChargedTransaction;
  readonly counters: FeeCounters;
  readonly card: FeeCard;
}

export interface TransactionFees {
  /** All above zero, each rounded half up by itself. */
  readonly rows: readonly FeeRow[];
  /** The sum of the rows, minor units. */
  readonly total: bigint;
  /** To be stored with the transaction; the very same object where nothing was used. */
  readonly counters: FeeCounters;
  /** To be kept with a purchase and handed in when its fees are computed again. */
  readonly small: SmallDecision;
}

/**
 * What a transaction costs on one side (contract section 3.1): by a package's schedule on the cardholder's, by a BIN's on the
 * reserve's. Pure. Amount zero costs nothing, whatever the kind. Throws on a negative amount.
 */
export function transactionFees(input: FeeInput): TransactionFees {
  const { transaction, counters } = input;
  if (transaction.amount < 0n) throw new RangeError("a transaction's amount is never negative");
  if (transaction.amount === 0n) {
    return fees({ rows: [], counters, small: "small" in transaction ? transaction.small : "open" });
  }
  switch (transaction.kind) {
    case "purchase":
    case "withdrawal":
      return spendingFees(input, transaction);
    case "decline":
      return declineFees(input);
    case "cancel":
      return cancelFees(input, transaction);
    case "refund": {
      const { amount } = transaction;
      const rows = rateFee("Refund_fee", { amount, rate: input.schedule.refundRate });
      return fees({ rows, counters, small: "open" });
    }
    default:
      return unreachable(transaction);
  }
}

function fees(parts: Omit<TransactionFees, "total">): TransactionFees {
  return { ...parts, total: sumOfFees(parts.rows) };
}

function spendingFees(input: FeeInput, transaction: SpendingTransaction): TransactionFees {
  const { schedule, card } = input;
  const { amount, kind } = transaction;
  const own =
    kind === "withdrawal"
      ? withdrawalFee(amount, schedule)
      : rateFee("Consume_fee", { amount, rate: schedule.consumeRate });
  const exchange = isCrossBorder({ transaction: transaction.currency, card: card.currency })
    ? rateFee("Exchange_fee", { amount, rate: exchangeRate(schedule) })
    : [];
  const wallet = transaction.wallet ? fixedFee("Apple_auth_fee", schedule.walletFee) : [];
  const small = smallFee(input, transaction);
  return fees({ ...small, rows: [...own, ...exchange, ...small.rows, ...wallet] });
}

/** Taken on top of the rate, from purchases alone: a withdrawal has its minimum instead. */
function smallFee(input: FeeInput, transaction: SpendingTransaction): Omit<TransactionFees, "total"> {
  const { schedule, counters } = input;
  const isSmall =
    transaction.kind === "purchase" &&
    transaction.amount < schedule.smallConsumeThreshold &&
    schedule.smallConsumeFee > 0n;
  if (!isSmall) {
    return { rows: [], counters, small: transaction.small };
  }
  const charged = fixedFee("Small_fee", schedule.smallConsumeFee);
  switch (transaction.small) {
    case "free":
      return { rows: [], counters, small: "free" };
    case "charged":
      return { rows: charged, counters, small: "charged" };
    case "open": {
      const counted = counting(counters.small, schedule.smallConsumeFree, input.card);
      return counted.free
        ? { rows: [], counters: { ...counters, small: counted.counter }, small: "free" }
        : { rows: charged, counters, small: "charged" };
    }
  }
}

function declineFees(input: FeeInput): TransactionFees {
  const { schedule, counters } = input;
  const rows = fixedFee("Decline_fee", schedule.declineFee);
  const counted = counting(counters.decline, schedule.declineFree, input.card);
  return rows.length > 0 && counted.free
    ? fees({ rows: [], counters: { ...counters, decline: counted.counter }, small: "open" })
    : fees({ rows, counters, small: "open" });
}

/** A withdrawal is cancelled by a machine that did not pay out, which is never the cardholder's doing: it costs nothing. */
function cancelFees(input: FeeInput, transaction: { readonly of: "purchase" | "withdrawal" }): TransactionFees {
  const { schedule, counters } = input;
  const rows = transaction.of === "purchase" ? fixedFee("Cancel_fee", schedule.cancelFee) : [];
  const counted = counting(counters.cancel, freeCancels(schedule), input.card);
  return rows.length > 0 && counted.free
    ? fees({ rows: [], counters: { ...counters, cancel: counted.counter }, small: "open" })
    : fees({ rows, counters, small: "open" });
}

function counting(
  counter: FreeCounter,
  rule: FreeCount,
  moment: CardMoment,
): { readonly free: boolean; readonly counter: FreeCounter } {
  return { free: freeLeft(counter, rule, moment) > 0, counter: used(counter, rule, moment) };
}

/**
 * `consume_cancel_threshold` counts a card's cancelled purchases: so many are free, ever. The wire carries it as a text with
 * two decimals, hence the division; a part of a cancel frees none.
 */
export function freeCancels(schedule: Pick<ProductRates, "cancelThreshold">): FreeCount {
  return { count: Number(schedule.cancelThreshold / 100n), type: "Forever", days: 0 };
}
