import { holdMs } from "#authorization/index.ts";
import { orderNumber, uuid7 } from "#kernel/index.ts";
import { forceHold } from "#ledger/index.ts";
import type { Billed } from "./billing.ts";
import { blankTransaction, flagWith } from "./blank-transaction.ts";
import { creditBorne } from "./booking.ts";
import { countLimits, type Desk, openDesk, tell, useCounters } from "./desk.ts";
import { localText } from "./local-amount.ts";
import type { Advice } from "./message.ts";
import { findOriginal } from "./original.ts";
import type { Done, Reception, Untaken } from "./receive.ts";
import { spendingFees } from "./side-fees.ts";
import { type CardTransaction, insertTransaction, selectByReference } from "./transaction-store.ts";

/**
 * Books what the network has approved in our stead: a fact, whatever has become of the card or of the money. It holds the amount
 * with its fees as an approval of our own would, below zero if it must. One that we have decided ourselves, or whose clearing was
 * there first, changes nothing.
 */
export async function takeAdvice(
  reception: Reception,
  { message, billed }: { readonly message: Advice; readonly billed: Billed },
): Promise<Done | Untaken> {
  const { sql, card, at } = reception;
  const { networkReference } = message;
  const decided =
    (await selectByReference(sql, { merchantId: card.merchantId, networkReference })) ??
    (await findOriginal(sql, card, networkReference)).transaction;
  if (decided !== null) {
    const isOurs = decided.cardNo === card.cardNo;
    return isOurs ? { effect: "no_effect", consumeNo: decided.consumeNo, settledAmount: 0n } : { untaken: "duplicate" };
  }
  const desk = await openDesk(reception);
  const { relateNo } = await findOriginal(sql, card, message.incrementOf);
  const { amount } = billed;
  const isHeld = amount > 0n;
  const blank: CardTransaction = {
    ...blankTransaction(card, at),
    consumeNo: orderNumber("O", at),
    consumeRelateNo: relateNo,
    type: message.kind === "atm" ? "Atm" : "Consumption",
    status: isHeld ? "Pending" : "Success",
    stage: isHeld ? "held" : "done",
    amount,
    localAmount: localText(message.amount, message.currency),
    localCurrency: message.currency,
    ...billed.exchange,
    ...flagWith("network_stand_in"),
    wallet: message.wallet,
    recurring: message.recurring,
    acceptor: message.acceptor,
    networkReference,
    holdId: isHeld ? uuid7(at) : null,
  };
  const { consumeNo } = await hold(desk, blank);
  return { effect: "booked", consumeNo, settledAmount: 0n };
}

async function hold(desk: Desk, blank: CardTransaction): Promise<CardTransaction> {
  const { sql, card } = desk;
  const isCredit = card.creditAccountId !== null;
  const fees = spendingFees(desk, { ...blank, more: false });
  const after: CardTransaction = {
    ...blank,
    ...fees.shown,
    creditTotal: isCredit ? await creditBorne(desk, blank.amount + fees.cardholderFee, { booked: 0n, held: 0n }) : 0n,
    reserveTotal: blank.amount + fees.reserveFee,
    smallFee: fees.smallFee,
    smallCost: fees.smallCost,
  };
  await insertTransaction(sql, after);
  await countLimits(desk, after, after.amount);
  await useCounters(desk, fees.counters);
  await tell(desk, after);
  if (after.holdId !== null) {
    await openHold(desk, { ...after, holdId: after.holdId });
  }
  return after;
}

async function openHold(
  { sql, card, accounts, at }: Desk,
  transaction: CardTransaction & { readonly holdId: string },
): Promise<void> {
  const { consumeNo: reference, holdId, creditTotal, reserveTotal, acceptor } = transaction;
  const { merchantId, creditAccountId } = card;
  const credit =
    creditAccountId === null || creditTotal === 0n ? [] : [{ accountId: creditAccountId, amount: creditTotal }];
  const lines = [...credit, { accountId: accounts.idOf("reserve"), amount: reserveTotal }];
  await forceHold(sql, { merchantId, holdId, reference, at, expiresAt: at + holdMs(acceptor.mcc), lines });
}
