import { isDeclineReason } from "@cardwright/contract";
import { shareOf } from "./allocation.ts";
import { localMinor } from "./local-amount.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** A purchase or a withdrawal. */
export const isSpending = ({ type }: Pick<CardTransaction, "type">): boolean =>
  type === "Consumption" || type === "Atm";

/** Whether the money of a purchase is still held. */
export const isHeld = ({ stage }: Pick<CardTransaction, "stage">): boolean => stage === "held";

/** Held; or a refund that was authorized, which is pending like a purchase and only holds no money. */
export const isPending = ({ stage, status, type }: Pick<CardTransaction, "stage" | "status" | "type">): boolean =>
  stage === "held" || (type === "Refund" && status === "Pending");

/** Whether its money has moved for good, and no more of it is held. */
export const isCleared = (transaction: CardTransaction): boolean =>
  transaction.status === "Success" &&
  transaction.stage === "done" &&
  (isSpending(transaction) || transaction.type === "Refund");

/** Never approved: no money moved, and none will. One whose merchant is being asked is not. */
export const wasDeclined = ({ status, remark }: Pick<CardTransaction, "status" | "remark">): boolean =>
  status === "Fail" && isDeclineReason(remark);

/** Made by a clearing that no authorization was found for. */
export const isForced = (transaction: CardTransaction): boolean =>
  isSpending(transaction) && transaction.remark === "force_posted";

/** A part of a consumption in minor units of the card's currency, and of the transaction's own. */
export interface Left {
  readonly left: bigint;
  readonly localLeft: bigint;
}

/** What is still pending of a consumption and has not been cleared. */
export const uncleared = (transaction: CardTransaction): Left =>
  leftOf(transaction, transaction.amount - transaction.clearedAmount);

/** What a consumption has taken, or still holds, and has not given back. */
export const refundable = (transaction: CardTransaction): Left =>
  leftOf(transaction, (transaction.status === "Fail" ? 0n : transaction.amount) - transaction.refundedAmount);

function leftOf(transaction: CardTransaction, amount: bigint): Left {
  const left = amount > 0n ? amount : 0n;
  return { left, localLeft: shareOf(localMinor(transaction), { part: left, of: transaction.amount }) };
}
