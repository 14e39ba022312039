import { remarkSentence } from "@cardwright/contract";
import { decimalsOf, formatAmount, isCurrency, parseAmount } from "@cardwright/money";
import { limitPeriods } from "#authorization/index.ts";
import type { Sql } from "#database/index.ts";
import { uuid7 } from "#kernel/index.ts";
import { capture, changeHold, type Posting, voidHolds } from "#ledger/index.ts";
import type { MerchantAccounts } from "./accounts.ts";
import { feesOfBothSides, type SideSchedules, spendingOf, withFees } from "./both-sides.ts";
import { type LockedCard, moveLimits, type SideCounters } from "./locked-card.ts";
import { type ReversedPart, shareOf } from "./reversal-parts.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** A transaction of the database that changes consumptions of one locked card. */
export interface Changing {
  readonly sql: Sql;
  readonly card: LockedCard;
  readonly schedules: SideSchedules;
  readonly accounts: MerchantAccounts;
  /** Unix ms: when it happened, which may be before now. */
  readonly at: number;
}

/** A consumption as it is to be written, and the card's free counts after it. */
export interface Changed {
  readonly transaction: CardTransaction;
  readonly counters: SideCounters;
}

/** Minor units of the transaction's own currency. */
export function localMinor(transaction: Pick<CardTransaction, "localAmount" | "localCurrency">): bigint {
  const parsed = parseAmount(transaction.localAmount, localDecimals(transaction));
  return parsed.ok ? parsed.value : 0n;
}

export function localText(
  transaction: Pick<CardTransaction, "localCurrency">,
  amount: bigint,
): CardTransaction["localAmount"] {
  return formatAmount(amount, localDecimals(transaction));
}

function localDecimals({ localCurrency }: Pick<CardTransaction, "localCurrency">): number {
  return isCurrency(localCurrency) ? decimalsOf(localCurrency) : 0;
}

/**
 * The accounts that ending or lowering a hold can move, to be locked at once before: two calls of the ledger could meet those of another
 * transaction the other way round. No more than those, because clearings of the merchant's other cards wait for them.
 */
export function heldAccounts(
  { card, accounts }: Pick<Changing, "card" | "accounts">,
  transactions: readonly CardTransaction[],
): string[] {
  const own = card.creditAccountId;
  const partlyCleared = transactions.some(({ clearedAmount }) => clearedAmount > 0n);
  return [
    accounts.idOf("reserve"),
    ...(own === null ? [] : [own]),
    ...(partlyCleared ? [accounts.idOf("platform_income")] : []),
    ...(partlyCleared && own !== null ? [accounts.idOf("merchant_income")] : []),
  ];
}

/** What is still held of a consumption and has not been cleared, in the card's and in the transaction's currency. */
export function uncleared(transaction: CardTransaction): { readonly left: bigint; readonly localLeft: bigint } {
  const { amount, clearedAmount } = transaction;
  const left = amount > clearedAmount ? amount - clearedAmount : 0n;
  return { left, localLeft: shareOf(localMinor(transaction), { part: left, of: amount }) };
}

/**
 * Ends what a consumption still holds: it fails with the remark, and its fees come back with its amount. Where a part was cleared it
 * succeeds with that part, and its fees are those of the part. What was counted against the limits is given back. The accounts must be
 * locked (`heldAccounts`).
 */
export async function endHold(
  changing: Changing,
  transaction: CardTransaction,
  end: { readonly kind: "void" | "expire"; readonly remark: "reversed" | "expired" },
): Promise<Changed> {
  const { card } = changing;
  await giveLimitsBack(changing, transaction, uncleared(transaction).left);
  if (transaction.clearedAmount > 0n) {
    return endPartlyCleared(changing, transaction, end);
  }
  await releaseRest(changing, transaction, end);
  const { remark } = end;
  return {
    counters: card.counters,
    transaction: {
      ...transaction,
      status: "Fail",
      stage: "done",
      fee: 0n,
      feeRows: [],
      creditTotal: 0n,
      reserveTotal: 0n,
      remark,
      detail: remarkSentence(remark, "en_US"),
    },
  };
}

async function releaseRest(
  { sql, at }: Changing,
  { merchantId, holdId }: CardTransaction,
  { kind }: { readonly kind: "void" | "expire" },
): Promise<void> {
  // A refund that was authorized holds nothing.
  if (holdId !== null) {
    await voidHolds(sql, { kind, holds: [{ merchantId, holdId, transactionId: uuid7(at) }], at });
  }
}

async function endPartlyCleared(
  changing: Changing,
  transaction: CardTransaction,
  end: { readonly kind: "void" | "expire" },
): Promise<Changed> {
  const { sql, at, card, accounts, schedules } = changing;
  const { merchantId, clearedAmount, consumeNo: reference, holdId } = transaction;
  const fees = feesOfBothSides({ schedules, card, at, transaction: spendingOf(transaction, clearedAmount) });
  const final = withFees(transaction, clearedAmount, fees);
  // What the parts have taken of fees is settled with what the whole of them costs.
  const postings = moved(
    accounts.idOf("reserve"),
    accounts.idOf("platform_income"),
    final.reserveTotal - transaction.reserveBooked,
  );
  if (card.creditAccountId !== null) {
    const due = final.creditTotal - transaction.creditBooked;
    postings.push(...moved(card.creditAccountId, accounts.idOf("merchant_income"), due));
  }
  if (postings.length > 0) {
    await capture(sql, { merchantId, holdId, transactionId: uuid7(at), reference, at, postings, keep: false });
  } else {
    await releaseRest(changing, transaction, end);
  }
  return {
    counters: fees.counters,
    transaction: {
      ...final,
      status: "Success",
      stage: "done",
      localAmount: localText(
        transaction,
        shareOf(localMinor(transaction), { part: clearedAmount, of: transaction.amount }),
      ),
      creditBooked: final.creditTotal,
      reserveBooked: final.reserveTotal,
      remark: "",
      detail: "",
    },
  };
}

/** A posting; the other way round for a negative amount; none for zero. */
function moved(source: string, destination: string, amount: bigint): Posting[] {
  if (amount === 0n) {
    return [];
  }
  return amount > 0n
    ? [{ source, destination, amount }]
    : [{ source: destination, destination: source, amount: -amount }];
}

/**
 * Lowers a held consumption by a part of what is not cleared yet. Its fees are computed again from what remains, so the hold can even
 * grow by a cent or a fee: a purchase that has become a small one pays for that.
 */
export async function lowerHeld(
  changing: Changing,
  transaction: CardTransaction,
  part: ReversedPart,
): Promise<Changed> {
  const { sql, at, card, accounts, schedules } = changing;
  const { merchantId, holdId, type } = transaction;
  await giveLimitsBack(changing, transaction, part.amount);
  const amount = transaction.amount - part.amount;
  const localAmount = localText(transaction, localMinor(transaction) - part.localAmount);
  if (type === "Refund" || holdId === null) {
    return { counters: card.counters, transaction: { ...transaction, amount, localAmount } };
  }
  const fees = feesOfBothSides({ schedules, card, at, transaction: spendingOf(transaction, amount) });
  const lowered = withFees({ ...transaction, localAmount }, amount, fees);
  const creditTotal = larger(lowered.creditTotal, transaction.creditBooked);
  const reserveTotal = larger(lowered.reserveTotal, transaction.reserveBooked);
  const lines = [{ accountId: accounts.idOf("reserve"), amount: reserveTotal - transaction.reserveBooked }];
  if (card.creditAccountId !== null) {
    lines.push({ accountId: card.creditAccountId, amount: creditTotal - transaction.creditBooked });
  }
  await changeHold(sql, { merchantId, holdId, transactionId: uuid7(at), at, lines });
  return { counters: fees.counters, transaction: { ...lowered, creditTotal, reserveTotal } };
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

/** What a purchase took from the product's limits goes back to the periods that it was counted in. Refunds were never counted. */
export async function giveLimitsBack(
  { sql, card }: Pick<Changing, "sql" | "card">,
  { type, createdAt }: CardTransaction,
  amount: bigint,
): Promise<void> {
  if (type !== "Refund" && amount > 0n) {
    const periods = limitPeriods(createdAt, card.utcOffsetMinutes);
    await moveLimits(sql, card, { amount: -amount, atm: type === "Atm", periods });
  }
}
