import type { Sql } from "#database/index.ts";
import {
  type ChargedTransaction,
  type SmallDecision,
  type SpendingTransaction,
  type TransactionFees,
  transactionFees,
} from "#fees/index.ts";
import type { ProductRates } from "#products/index.ts";
import type { CardKey, LockedCard, SideCounters } from "./locked-card.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** What a card was opened with: the package's schedule in credit mode, and the BIN's. A card keeps its versions for life. */
export interface SideSchedules {
  readonly cardholder: ProductRates | null;
  readonly reserve: ProductRates;
}

export interface ScheduleDeps {
  readonly pool: Sql;
  readonly terms: (product: { readonly productNo: string; readonly version: number }) => Promise<{
    readonly rates: ProductRates;
  }>;
}

interface ProductsOfCard {
  card_bin_no: string;
  bin_terms_version: number;
  package_no: string | null;
  package_terms_version: number | null;
}

/**
 * The schedules of a card; null when there is no such card. To be asked before the transaction begins: a look-up that misses takes a
 * connection, and whoever holds one already must not wait for another.
 */
export async function schedulesOf(deps: ScheduleDeps, key: CardKey): Promise<SideSchedules | null> {
  const { rows } = await deps.pool.query<ProductsOfCard>({
    name: "clearing_products_of_card",
    text: `SELECT card_bin_no, bin_terms_version, package_no, package_terms_version FROM card WHERE merchant_id = $1 AND card_no = $2`,
    values: [key.merchantId, key.cardNo],
  });
  const card = rows[0];
  if (card === undefined) {
    return null;
  }
  const bin = await deps.terms({ productNo: card.card_bin_no, version: card.bin_terms_version });
  const own =
    card.package_no === null || card.package_terms_version === null
      ? null
      : await deps.terms({ productNo: card.package_no, version: card.package_terms_version });
  return { cardholder: own?.rates ?? null, reserve: bin.rates };
}

export interface SideFees {
  /** Null in authorization mode. */
  readonly cardholder: TransactionFees | null;
  readonly reserve: TransactionFees;
  /** What the merchant is shown: the cardholder's side in credit mode, otherwise the reserve's (contract section 2). */
  readonly shown: TransactionFees;
  /** The very same object where no free one was used up. */
  readonly counters: SideCounters;
}

/** Cards are billed in USD and TUSDT, which are at par. */
const cardCurrency = "USD";

/** What one transaction costs on each side; `transaction` is told how that side decided the small-transaction fee before. */
export function feesOfBothSides(input: {
  readonly schedules: SideSchedules;
  readonly card: Pick<LockedCard, "openedAt" | "utcOffsetMinutes" | "counters">;
  /** Unix ms: free counts are those of that moment. */
  readonly at: number;
  readonly transaction: (side: "cardholder" | "reserve") => ChargedTransaction;
}): SideFees {
  const { schedules, card, at, transaction } = input;
  const { openedAt, utcOffsetMinutes, counters } = card;
  const moment = { currency: cardCurrency, openedAt, utcOffsetMinutes, at };
  const reserve = transactionFees({
    schedule: schedules.reserve,
    transaction: transaction("reserve"),
    counters: counters.reserve,
    card: moment,
  });
  if (schedules.cardholder === null) {
    const after = { ...counters, reserve: reserve.counters };
    return { cardholder: null, reserve, shown: reserve, counters: unchangedOr(counters, after) };
  }
  const cardholder = transactionFees({
    schedule: schedules.cardholder,
    transaction: transaction("cardholder"),
    counters: counters.cardholder,
    card: moment,
  });
  return {
    cardholder,
    reserve,
    shown: cardholder,
    counters: unchangedOr(counters, { cardholder: cardholder.counters, reserve: reserve.counters }),
  };
}

/** The very same object where nothing was used up: then there is nothing to write. */
function unchangedOr(before: SideCounters, after: SideCounters): SideCounters {
  return after.cardholder === before.cardholder && after.reserve === before.reserve ? before : after;
}

/** A purchase or withdrawal of another amount than before, with the small-transaction fee as it was decided. */
export function spendingOf(
  transaction: CardTransaction,
  amount: bigint,
): (side: "cardholder" | "reserve") => SpendingTransaction {
  const small: Record<"cardholder" | "reserve", SmallDecision> = {
    cardholder: transaction.smallFee,
    reserve: transaction.smallCost,
  };
  return (side) => ({
    kind: transaction.type === "Atm" ? "withdrawal" : "purchase",
    amount,
    currency: transaction.localCurrency,
    wallet: transaction.wallet,
    small: small[side],
  });
}

/** What the fees change of a purchase of that amount: what it shows, and what each account bears. */
export function withFees(transaction: CardTransaction, amount: bigint, fees: SideFees): CardTransaction {
  return {
    ...transaction,
    amount,
    fee: fees.shown.total,
    feeRows: fees.shown.rows,
    creditTotal: fees.cardholder === null ? 0n : amount + fees.cardholder.total,
    reserveTotal: amount + fees.reserve.total,
    smallFee: fees.cardholder?.small ?? transaction.smallFee,
    smallCost: fees.reserve.small,
  };
}
