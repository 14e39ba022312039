import type { FeeRow } from "#consumptions/index.ts";
import {
  type FreeAllowance,
  freeAllowance,
  type SmallDecision,
  type TransactionFees,
  transactionFees,
  unusedCounters,
} from "#fees/index.ts";
import type { ProductRates } from "#products/index.ts";
import type { CardFacts } from "./facts.ts";

/** What is bought, as far as fees depend on it. */
export interface Charged {
  /** Minor units of the card's currency. */
  readonly amount: bigint;
  readonly kind: "purchase" | "withdrawal";
  /** Of the transaction, ISO 4217. */
  readonly currency: string;
  readonly wallet: boolean;
  /** Unix ms. */
  readonly at: number;
}

/** The fees of one side, all of them charged; and what is different where the small-transaction fee is free. */
export interface SideFees {
  readonly rows: readonly FeeRow[];
  readonly total: bigint;
  /** Null where there is no such fee, so that nothing has to be counted. */
  readonly small: (FreeAllowance & { readonly fee: bigint; readonly freeRows: readonly FeeRow[] }) | null;
}

export interface ItemFees {
  /** By the package's schedule; null in authorization mode, where the merchant keeps its own packages. */
  readonly cardholder: SideFees | null;
  /** By the BIN's. */
  readonly reserve: SideFees;
  /** What the merchant is shown (contract section 2): the cardholder's side where there is one. */
  readonly shown: SideFees;
}

const nothing: SideFees = { rows: [], total: 0n, small: null };

/** No fees at all: a refund is charged when it is cleared. */
export const noFees = (facts: CardFacts): ItemFees => ({
  cardholder: facts.cardholderRates === null ? null : nothing,
  reserve: nothing,
  shown: nothing,
});

/** What it costs on both sides; whether a small one is free is left to the statement, which alone sees the counters. */
export function itemFees(facts: CardFacts, charged: Charged): ItemFees {
  const reserve = sideFees(facts, charged, facts.costRates);
  const cardholder = facts.cardholderRates === null ? null : sideFees(facts, charged, facts.cardholderRates);
  return { cardholder, reserve, shown: cardholder ?? reserve };
}

/** The reserve's fees when the small-transaction fee has been decided. */
export function reserveFees(facts: CardFacts, charged: Charged, small: SmallDecision): TransactionFees {
  return feesWith(facts, charged, { schedule: facts.costRates, small });
}

function sideFees(facts: CardFacts, charged: Charged, schedule: ProductRates): SideFees {
  const all = feesWith(facts, charged, { schedule, small: "charged" });
  const free = feesWith(facts, charged, { schedule, small: "free" });
  if (all.total === free.total) {
    return { rows: all.rows, total: all.total, small: null };
  }
  const allowance = freeAllowance(schedule.smallConsumeFree, momentOf(facts, charged));
  return {
    rows: all.rows,
    total: all.total,
    small: { ...allowance, fee: all.total - free.total, freeRows: free.rows },
  };
}

function feesWith(
  facts: CardFacts,
  { amount, kind, currency, wallet, at }: Charged,
  { schedule, small }: { readonly schedule: ProductRates; readonly small: SmallDecision },
): TransactionFees {
  return transactionFees({
    schedule,
    transaction: { kind, amount, currency, wallet, small },
    counters: unusedCounters,
    card: { ...momentOf(facts, { at }), currency: "USD" },
  });
}

const momentOf = (facts: CardFacts, { at }: { readonly at: number }) => ({
  at,
  openedAt: facts.openedAt,
  utcOffsetMinutes: facts.utcOffsetMinutes,
});
