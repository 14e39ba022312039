import { type Remark, remarkSentence } from "@cardwright/contract";
import type { LockedCard } from "./locked-card.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** A consumption of a card of which nothing has happened yet; whoever makes it says what it is. */
export function blankTransaction(
  card: LockedCard,
  at: number,
): Omit<
  CardTransaction,
  "consumeNo" | "type" | "status" | "amount" | "localAmount" | "localCurrency" | "acceptor" | "networkReference"
> {
  return {
    merchantId: card.merchantId,
    consumeRelateNo: "",
    cardNo: card.cardNo,
    cardholderNo: card.cardholderNo,
    stage: "done",
    fee: 0n,
    feeRows: [],
    creditTotal: 0n,
    reserveTotal: 0n,
    clearedAmount: 0n,
    creditBooked: 0n,
    reserveBooked: 0n,
    refundedAmount: 0n,
    captureLimit: null,
    exchangeRate: "",
    exchangeSource: "",
    exchangeAt: null,
    smallFee: "open",
    smallCost: "open",
    wallet: false,
    recurring: false,
    remark: "",
    detail: "",
    holdId: null,
    feeDue: "",
    createdAt: at,
  };
}

/** A remark with its sentence. */
export function flagWith(remark: Remark): Pick<CardTransaction, "remark" | "detail"> {
  return { remark, detail: remarkSentence(remark, "en_US") };
}
