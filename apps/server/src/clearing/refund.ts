import { orderNumber, uuid7 } from "#kernel/index.ts";
import { forceTransfer } from "#ledger/index.ts";
import { blankTransaction, flagWith } from "./blank-transaction.ts";
import type { BilledPresentment } from "./clear-purchase.ts";
import { type Desk, openDesk, tell, useCounters } from "./desk.ts";
import { backPostings, countAgainst, type Purchase, purchaseOf } from "./give-back.ts";
import { localText } from "./local-amount.ts";
import { findOriginal } from "./original.ts";
import { park } from "./park.ts";
import type { Done, Reception, Untaken } from "./receive.ts";
import { refundFees } from "./side-fees.ts";
import { isSpending, refundable } from "./transaction-state.ts";
import { type CardTransaction, insertTransaction, updateTransaction } from "./transaction-store.ts";

/**
 * Books a refund that the network presents: the amount comes back on both sides, the fees of the purchase do not, and each side's
 * schedule charges its refund fee. A refund of more than there is left of its purchase is parked for the operator instead.
 */
export async function clearRefund(reception: Reception, presentment: BilledPresentment): Promise<Done | Untaken> {
  const { sql, card } = reception;
  const { message, billed } = presentment;
  const { merchantId } = card;
  const { transaction: named } = await findOriginal(sql, card, message.originalReference);
  if (named?.stage === "asking") {
    return { untaken: "authorization_under_way" };
  }
  const authorized = named?.type === "Refund" ? named : null;
  const consumeNo = named === null ? "" : isSpending(named) ? named.consumeNo : named.consumeRelateNo;
  const purchase = await purchaseOf(reception, { merchantId, consumeNo });
  const refund = refundOf(reception, presentment, { authorized, purchase });
  const settledAmount = -billed.amount;
  // What it has taken, or still holds, and has not given back.
  const left = purchase.reduce((sum, each) => sum + refundable(each).left, 0n);
  if (purchase.length > 0 && billed.amount > left) {
    await park(reception, { refund, refundable: left, purchaseNo: purchase[0]?.consumeNo ?? "", message });
    return { effect: "parked", consumeNo: refund.known?.consumeNo ?? "", settledAmount };
  }
  const booked = await bookRefund(await openDesk(reception), { ...refund, purchase });
  return { effect: "refunded", consumeNo: booked.consumeNo, settledAmount };
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
  const said = { amount: billed.amount, localAmount: localText(message.amount, message.currency), ...billed.exchange };
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
  const absorbed = await countAgainst(desk, purchase, amount);
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
  await tell(desk, after);
  const postings = backPostings(desk, { amount, absorbed, fees });
  if (postings.length > 0) {
    const { merchantId } = card;
    const { consumeNo: reference } = after;
    await forceTransfer(sql, { merchantId, transactionId: uuid7(at), kind: "refund", reference, at, postings });
  }
  return after;
}
