import { remarkSentence } from "@cardwright/contract";
import { uuid7 } from "#kernel/index.ts";
import { forceTransfer, type Posting } from "#ledger/index.ts";
import { feesOfBothSides, type SideFees } from "./both-sides.ts";
import { type Changing, giveLimitsBack, localMinor } from "./held.ts";
import { type ReversedPart, shareOf } from "./reversal-parts.ts";
import { type CardTransaction, selectTransaction, updateTransaction } from "./transaction-store.ts";

/** What has been cleared of a consumption and not been given back, in the card's and in the transaction's currency. */
export function refundable(transaction: CardTransaction): { readonly left: bigint; readonly localLeft: bigint } {
  const { amount, refundedAmount } = transaction;
  const left = amount > refundedAmount ? amount - refundedAmount : 0n;
  return { left, localLeft: shareOf(localMinor(transaction), { part: left, of: amount }) };
}

/**
 * How much of what is given back belongs to the cardholder: no more, over all times, than it paid of the amount. Where its account did
 * not cover a clearing and the merchant's income bore the rest, that comes last and goes back to there. What an account pays goes to
 * the amount first, then to the fees.
 */
export function cardholdersShare(
  { amount, creditBooked, refundedAmount }: Pick<CardTransaction, "amount" | "creditBooked" | "refundedAmount">,
  given: bigint,
): bigint {
  const paid = smaller(amount, creditBooked);
  return smaller(refundedAmount + given, paid) - smaller(refundedAmount, paid);
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

export interface GivenBack {
  readonly transaction: CardTransaction;
  /** What it costs on each side (`refund_rate`); the cardholder pays for what reaches its account. */
  readonly fees: SideFees;
  /** What the cardholder gets of it, before that fee. */
  readonly toCardholder: bigint;
}

/**
 * Gives a part of a cleared purchase back on both sides: the way round that the clearing came. Its own fees stay; giving back has its
 * own fee, which is taken from what comes back.
 */
export async function giveBackCleared(
  changing: Changing,
  transaction: CardTransaction,
  back: { readonly part: ReversedPart; readonly reference: string },
): Promise<GivenBack> {
  const { sql, at, card, accounts, schedules } = changing;
  const { merchantId } = transaction;
  const { part, reference } = back;
  const own = card.creditAccountId === null ? 0n : cardholdersShare(transaction, part.amount);
  const fees = feesOfBothSides({
    schedules,
    card,
    at,
    transaction: (side) => ({ kind: "refund", amount: side === "cardholder" ? own : part.amount }),
  });
  const reserve = accounts.idOf("reserve");
  const postings: Posting[] = [
    { source: accounts.idOf("settlement"), destination: reserve, amount: part.amount },
    { source: reserve, destination: accounts.idOf("platform_income"), amount: fees.reserve.total },
  ];
  if (card.creditAccountId !== null) {
    const [spending, income] = [accounts.idOf("spending"), accounts.idOf("merchant_income")];
    postings.push(
      { source: spending, destination: card.creditAccountId, amount: own },
      { source: spending, destination: income, amount: part.amount - own },
      { source: card.creditAccountId, destination: income, amount: fees.cardholder?.total ?? 0n },
    );
  }
  await forceTransfer(sql, {
    merchantId,
    transactionId: uuid7(at),
    kind: "reversal",
    reference,
    at,
    postings: postings.filter(({ amount }) => amount > 0n),
  });
  await giveLimitsBack(changing, transaction, part.amount);
  return {
    fees,
    toCardholder: own,
    transaction: {
      ...transaction,
      refundedAmount: transaction.refundedAmount + part.amount,
      remark: "reversed_after_clearing",
      detail: remarkSentence("reversed_after_clearing", "en_US"),
    },
  };
}

/**
 * Takes a refund back that was booked already: the shop or the network has withdrawn it. It cannot be refused, so the accounts may fall
 * below their floors. The refund's fee stays; the purchase can be refunded again.
 */
export async function takeRefundBack(
  changing: Changing,
  refund: CardTransaction,
  back: { readonly part: ReversedPart; readonly reference: string },
): Promise<CardTransaction> {
  const { sql, at, card, accounts } = changing;
  const { merchantId, consumeRelateNo } = refund;
  const { reference } = back;
  const { amount } = back.part;
  const postings: Posting[] = [{ source: accounts.idOf("reserve"), destination: accounts.idOf("settlement"), amount }];
  if (card.creditAccountId !== null) {
    postings.push({ source: card.creditAccountId, destination: accounts.idOf("spending"), amount });
  }
  const transactionId = uuid7(at);
  await forceTransfer(sql, { merchantId, transactionId, kind: "reversal", reference, at, postings });
  const purchase =
    consumeRelateNo === "" ? null : await selectTransaction(sql, { merchantId, consumeNo: consumeRelateNo });
  if (purchase !== null) {
    const refundedAmount = purchase.refundedAmount > amount ? purchase.refundedAmount - amount : 0n;
    await updateTransaction(sql, { ...purchase, refundedAmount }, { at });
  }
  return {
    ...refund,
    refundedAmount: refund.refundedAmount + amount,
    remark: "reversed_after_clearing",
    detail: remarkSentence("reversed_after_clearing", "en_US"),
  };
}
