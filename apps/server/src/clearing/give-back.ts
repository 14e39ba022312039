import { uuid7 } from "#kernel/index.ts";
import { forceTransfer, type Posting } from "#ledger/index.ts";
import { flagWith } from "./blank-transaction.ts";
import { moved } from "./booking.ts";
import { countLimits, type Desk, tell } from "./desk.ts";
import { withIncrements } from "./original.ts";
import type { ReversedPart } from "./reversal-parts.ts";
import { refundFees, type SideFees } from "./side-fees.ts";
import { isSpending, refundable } from "./transaction-state.ts";
import { type CardTransaction, selectTransaction, updateTransaction } from "./transaction-store.ts";

/** A purchase with its increments; empty when nothing is known of one. */
export type Purchase = readonly CardTransaction[];

export async function purchaseOf(
  { sql }: Pick<Desk, "sql">,
  key: { readonly merchantId: number; readonly consumeNo: string },
): Promise<Purchase> {
  const purchase = key.consumeNo === "" ? null : await selectTransaction(sql, key);
  return purchase === null || !isSpending(purchase) ? [] : withIncrements(sql, purchase);
}

/**
 * How much of an amount that is given back of a purchase belongs to the merchant's income, which has borne it (the `absorb` policy): the
 * cardholder gets back first what it has paid itself. What an account pays goes to the amount first, then to the fees. The same of a
 * negative amount, that is taken back, is what the income gives again.
 */
export function absorbedShare(
  { status, amount, creditBooked, refundedAmount }: CardTransaction,
  given: bigint,
): bigint {
  const paid = status === "Success" ? least(amount, creditBooked) : amount;
  const absorbed = (refunded: bigint) => least(refunded > paid ? refunded - paid : 0n, amount - paid);
  return absorbed(refundedAmount + given) - absorbed(refundedAmount);
}

const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);

/**
 * Counts what is given back against a purchase, the increments after it, and answers how much of it is the merchant's income's. What is
 * taken back, a negative amount, is counted the other way round.
 */
export async function countAgainst({ sql, card, at }: Desk, purchase: Purchase, amount: bigint): Promise<bigint> {
  const isBack = amount < 0n;
  const order = isBack ? purchase.toReversed() : purchase;
  let rest = isBack ? -amount : amount;
  let absorbed = 0n;
  for (const [place, each] of order.entries()) {
    const room = isBack ? each.refundedAmount : refundable(each).left;
    // An operator may release more than there is: it counts on the last.
    const isLast = !isBack && place === order.length - 1;
    const size = isLast || rest < room ? rest : room;
    if (size === 0n) {
      continue;
    }
    rest -= size;
    const given = isBack ? -size : size;
    absorbed += card.creditAccountId === null ? 0n : absorbedShare(each, given);
    await updateTransaction(sql, { ...each, refundedAmount: each.refundedAmount + given }, { at });
  }
  return absorbed;
}

/** The way of the purchase, back; a negative amount goes the purchase's own way again. */
export function backPostings(
  { card, accounts }: Desk,
  back: {
    readonly amount: bigint;
    /** What of it is the merchant's income's. */
    readonly absorbed: bigint;
    readonly fees: Pick<SideFees, "cardholderFee" | "reserveFee">;
  },
): Posting[] {
  const { amount, absorbed, fees } = back;
  const reserve = accounts.idOf("reserve");
  const reserveSide = [
    ...moved(accounts.idOf("settlement"), reserve, amount),
    ...moved(reserve, accounts.idOf("platform_income"), fees.reserveFee),
  ];
  const cardholder = card.creditAccountId;
  if (cardholder === null) {
    return reserveSide;
  }
  const spending = accounts.idOf("spending");
  const income = accounts.idOf("merchant_income");
  return [
    ...moved(spending, cardholder, amount - absorbed),
    ...moved(spending, income, absorbed),
    ...moved(cardholder, income, fees.cardholderFee),
    ...reserveSide,
  ];
}

/** What came back on each side by a reversal after clearing; of a refund: what was taken. */
export interface GivenBack {
  readonly credit: bigint;
  readonly reserve: bigint;
  /** What it cost; null where it costs nothing. */
  readonly fees: SideFees | null;
}

interface Back {
  readonly part: ReversedPart;
  /** The number of the `Reversal`. */
  readonly reference: string;
}

/**
 * Gives a part of a cleared purchase back on both sides: the way round that the clearing came. Its own fees stay; giving back has its
 * own fee, which is taken from what comes back.
 */
export async function giveBackCleared(desk: Desk, before: CardTransaction, back: Back): Promise<GivenBack> {
  const { sql, card, at } = desk;
  const { amount } = back.part;
  const isCredit = card.creditAccountId !== null;
  const absorbed = isCredit ? absorbedShare(before, amount) : 0n;
  const toCardholder = isCredit ? amount - absorbed : 0n;
  const fees = refundFees(desk, { toCardholder, toReserve: amount });
  const refundedAmount = before.refundedAmount + amount;
  const after: CardTransaction = { ...before, ...flagWith("reversed_after_clearing"), refundedAmount };
  await updateTransaction(sql, after, { at });
  await countLimits(desk, before, -amount);
  await tell(desk, after);
  await move(desk, back.reference, backPostings(desk, { amount, absorbed, fees }));
  return { credit: toCardholder - fees.cardholderFee, reserve: amount - fees.reserveFee, fees };
}

/**
 * Takes a refund back that was booked already: the shop or the network has withdrawn it. It cannot be refused, so the accounts may fall
 * below their floors. The refund's fee stays; the purchase can be refunded again.
 */
export async function takeRefundBack(desk: Desk, refund: CardTransaction, back: Back): Promise<GivenBack> {
  const { sql, card, at } = desk;
  const { amount } = back.part;
  const { merchantId, consumeRelateNo: consumeNo } = refund;
  const absorbed = await countAgainst(desk, await purchaseOf(desk, { merchantId, consumeNo }), -amount);
  const refundedAmount = refund.refundedAmount + amount;
  const after: CardTransaction = { ...refund, ...flagWith("reversed_after_clearing"), refundedAmount };
  await updateTransaction(sql, after, { at });
  await tell(desk, after);
  const fees = { cardholderFee: 0n, reserveFee: 0n };
  await move(desk, back.reference, backPostings(desk, { amount: -amount, absorbed, fees }));
  return { credit: card.creditAccountId === null ? 0n : amount + absorbed, reserve: amount, fees: null };
}

async function move({ sql, card, at }: Desk, reference: string, postings: readonly Posting[]): Promise<void> {
  const { merchantId } = card;
  await forceTransfer(sql, { merchantId, transactionId: uuid7(at), kind: "reversal", reference, at, postings });
}
