import { orderNumber, uuid7 } from "#kernel/index.ts";
import { forceTransfer, type Posting } from "#ledger/index.ts";
import { blankTransaction, flagWith } from "./blank-transaction.ts";
import { moved } from "./booking.ts";
import { type BilledPresentment, localText } from "./clear-purchase.ts";
import { findOriginal, isSpending, withIncrements } from "./original.ts";
import { park } from "./park.ts";
import { pushTransaction } from "./push.ts";
import type { Done, Reception, Untaken } from "./receive.ts";
import { type Desk, openDesk, useCounters } from "./settle.ts";
import { refundFees } from "./side-fees.ts";
import {
  type CardTransaction,
  insertTransaction,
  selectByReference,
  selectTransaction,
  updateTransaction,
} from "./transaction-store.ts";

/** A purchase with its increments; empty when the refund is of nothing that we know. */
type Purchase = readonly CardTransaction[];

/**
 * Books a refund that the network presents: the amount comes back on both sides, the fees of the purchase do not, and each side's
 * schedule charges its refund fee. A refund of more than there is left of its purchase is parked for the operator instead.
 */
export async function clearRefund(reception: Reception, presentment: BilledPresentment): Promise<Done | Untaken> {
  const { sql, card } = reception;
  const { message, billed } = presentment;
  const { merchantId } = card;
  if ((await selectByReference(sql, { merchantId, networkReference: message.networkReference })) !== null) {
    return { untaken: "duplicate" };
  }
  const { transaction: named } = await findOriginal(sql, card, message.originalReference);
  if (named?.stage === "asking") {
    return { untaken: "authorization_under_way" };
  }
  const authorized = named?.type === "Refund" ? named : null;
  const purchase = await purchaseOf(reception, named);
  const refund = refundOf(reception, presentment, { authorized, purchase });
  const settledAmount = -billed.amount;
  const left = refundable(purchase);
  if (purchase.length > 0 && billed.amount > left) {
    await park(reception, { refund, refundable: left, purchaseNo: purchase[0]?.consumeNo ?? "", message });
    return { effect: "parked", consumeNo: refund.known?.consumeNo ?? "", settledAmount };
  }
  const desk = await openDesk(reception);
  const { consumeNo } = await bookRefund(desk, { ...refund, purchase });
  return { effect: "refunded", consumeNo, settledAmount };
}

async function purchaseOf({ sql, card }: Reception, named: CardTransaction | null): Promise<Purchase> {
  if (named === null) {
    return [];
  }
  if (isSpending(named)) {
    return withIncrements(sql, named);
  }
  const { consumeRelateNo: consumeNo, type } = named;
  const related =
    type === "Refund" && consumeNo !== ""
      ? await selectTransaction(sql, { merchantId: card.merchantId, consumeNo })
      : null;
  return related === null || !isSpending(related) ? [] : withIncrements(sql, related);
}

/** What a purchase has taken, or still holds, and has not given back; minor units. */
export function refundable(purchase: Purchase): bigint {
  const left = purchase.reduce(
    (sum, each) => sum + (each.status === "Fail" ? 0n : each.amount) - each.refundedAmount,
    0n,
  );
  return left > 0n ? left : 0n;
}

export interface Refund {
  /** The consumption of a refund authorization that this completes; null for a new one. */
  readonly known: CardTransaction | null;
  /** As it will be shown, before its fees. */
  readonly shown: CardTransaction;
}

function refundOf(
  { card, at }: Reception,
  { message, billed }: BilledPresentment,
  of: { readonly authorized: CardTransaction | null; readonly purchase: Purchase },
): Refund {
  const { authorized, purchase } = of;
  const said = { amount: billed.amount, localAmount: localText(message), ...billed.exchange };
  // One that has been presented already is followed by a refund of its own.
  if (authorized !== null && authorized.status !== "Success") {
    const late = authorized.status === "Fail" ? flagWith("cleared_late") : { remark: "", detail: "" };
    return { known: authorized, shown: { ...authorized, ...said, ...late } };
  }
  const shown: CardTransaction = {
    ...blankTransaction(card, at),
    ...said,
    consumeNo: orderNumber("O", at),
    consumeRelateNo: purchase[0]?.consumeNo ?? "",
    type: "Refund",
    status: "Success",
    localCurrency: message.currency,
    acceptor: message.acceptor,
    networkReference: message.networkReference,
  };
  return { known: null, shown };
}

/** Moves the money of a refund, shows it, and counts it against its purchase. Answers the consumption. */
export async function bookRefund(
  desk: Desk,
  { known, shown, purchase }: Refund & { readonly purchase: Purchase },
): Promise<CardTransaction> {
  const { sql, card, at } = desk;
  const { amount } = shown;
  const isCredit = card.creditAccountId !== null;
  const absorbed = await countAgainst(desk, { purchase, amount });
  const toCardholder = isCredit ? amount - absorbed : 0n;
  const fees = refundFees(desk, { toCardholder, toReserve: amount });
  const credit = isCredit ? toCardholder - fees.cardholderFee : 0n;
  const reserve = amount - fees.reserveFee;
  const after: CardTransaction = {
    ...shown,
    ...fees.shown,
    status: "Success",
    stage: "done",
    clearedAmount: amount,
    creditTotal: credit,
    creditBooked: credit,
    reserveTotal: reserve,
    reserveBooked: reserve,
  };
  await (known === null ? insertTransaction(sql, after) : updateTransaction(sql, after, { at }));
  await useCounters(desk, fees.counters);
  await pushTransaction(sql, after, { at });
  const postings = refundPostings(desk, { amount, absorbed, toCardholder, fees });
  if (postings.length > 0) {
    const { merchantId } = card;
    const { consumeNo: reference } = after;
    await forceTransfer(sql, { merchantId, transactionId: uuid7(at), kind: "refund", reference, at, postings });
  }
  return after;
}

/** The way of the purchase, back: what the merchant's income has borne of it comes back to it, the rest to the cardholder. */
function refundPostings(
  { card, accounts }: Desk,
  refund: {
    readonly amount: bigint;
    readonly absorbed: bigint;
    readonly toCardholder: bigint;
    readonly fees: { readonly cardholderFee: bigint; readonly reserveFee: bigint };
  },
): Posting[] {
  const { amount, absorbed, toCardholder, fees } = refund;
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
    ...moved(spending, cardholder, toCardholder),
    ...moved(spending, income, absorbed),
    ...moved(cardholder, income, fees.cardholderFee),
    ...reserveSide,
  ];
}

/**
 * Counts a refund against its purchase, the increments after it, and answers how much of it goes to the merchant's income because
 * that has borne it (the `absorb` policy): the cardholder gets back first what it has paid itself.
 */
async function countAgainst(
  { sql, card, at }: Desk,
  refund: { readonly purchase: Purchase; readonly amount: bigint },
): Promise<bigint> {
  let rest = refund.amount;
  let absorbed = 0n;
  for (const [place, each] of refund.purchase.entries()) {
    const isLast = place === refund.purchase.length - 1;
    const room = refundable([each]);
    // An operator may release more than there is: it counts on the last.
    const share = isLast || rest < room ? rest : room;
    if (share === 0n) {
      continue;
    }
    rest -= share;
    const own = each.amount - absorbedOf(each, card.creditAccountId !== null);
    const before = each.refundedAmount;
    const paidBack = least(before + share, own) - least(before, own);
    absorbed += least(share - paidBack, each.amount - own);
    await updateTransaction(sql, { ...each, refundedAmount: before + share }, { at });
  }
  return absorbed;
}

const least = (one: bigint, other: bigint): bigint => (one < other ? one : other);

/** What the merchant's income has borne of the amount of a cleared purchase. */
function absorbedOf({ status, amount, creditBooked }: CardTransaction, isCredit: boolean): bigint {
  return isCredit && status === "Success" && creditBooked < amount ? amount - creditBooked : 0n;
}
