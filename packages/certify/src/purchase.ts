import { toJsonNumber } from "@cardwright/money";

export type Status = "Pending" | "Success" | "Fail";

/** `merchant_info` of a callback, keys in the order of the contract. */
export interface Shop {
  readonly country: string;
  readonly merchant_mcc: string;
  readonly city: string;
  readonly merchant_name: string;
}

/** A purchase of the run, with what the merchant has been told of it so far. Amounts in minor units of the card's currency. */
export interface Purchase {
  readonly consumeNo: string;
  readonly cardNo: string;
  readonly cardholderNo: string;
  readonly amount: bigint;
  /** As the JSON number that goes onto the wire. */
  readonly localAmount: number;
  readonly localCurrency: string;
  readonly shop: Shop;
  /** Asked only to learn what is available, and reversed at once. */
  readonly isProbe: boolean;
  /** The merchant may hold money for it: it said yes, or its answer is not known, or it was told `Pending`. */
  mayHold: boolean;
  /** It was told as `Success`: failing it afterwards would give back what a refund has given back already. */
  wasCleared: boolean;
  /** What the merchant was told as taken for good, less what was refunded. */
  cleared: bigint;
}

/** One thing that a `Consumption` push tells of a purchase. */
export interface News {
  readonly status: Status;
  /** The purchase's own when absent. */
  readonly amount?: bigint;
  readonly remark?: string;
  readonly detail?: string;
  /** Unix ms; the present when absent. */
  readonly timeMs?: number;
}

/** Refunds and reversals are consumptions of their own that point to their purchase (contract section 4). */
export interface Related {
  readonly consumeNo: string;
  readonly type: "Refund" | "Reversal";
  readonly amount: bigint;
}

type DataFields = Readonly<Record<string, unknown>>;

const cardDecimals = 2;

/** The JSON text of the `data` of an `Auth` (contract section 6), with further fields at its end. */
export function authText(purchase: Purchase, { timeMs, more }: { timeMs: number; more?: DataFields }): string {
  return JSON.stringify({
    consume_no: purchase.consumeNo,
    card_no: purchase.cardNo,
    cardholder_no: purchase.cardholderNo,
    type: "Consumption",
    ...amountsOf(purchase, purchase.amount),
    merchant_info: purchase.shop,
    status: "Pending",
    time: timeMs,
    ...more,
  });
}

/** The JSON text of the `data` of a `Consumption` about the purchase itself, or about a refund or reversal of it. */
export function consumptionText(
  purchase: Purchase,
  news: Omit<News, "timeMs"> & { readonly timeMs: number; readonly related?: Related; readonly more?: DataFields },
): string {
  const { related } = news;
  return JSON.stringify({
    consume_no: related?.consumeNo ?? purchase.consumeNo,
    consume_relate_no: related === undefined ? "" : purchase.consumeNo,
    card_no: purchase.cardNo,
    cardholder_no: purchase.cardholderNo,
    type: related?.type ?? "Consumption",
    ...amountsOf(purchase, related?.amount ?? news.amount ?? purchase.amount),
    fee: 0,
    remark: news.remark ?? "",
    detail: news.detail ?? "",
    fee_detail: [],
    merchant_info: purchase.shop,
    status: news.status,
    time: news.timeMs,
    ...news.more,
  });
}

/** The local amount follows when the purchase is in the card's own currency, and stays as it was asked otherwise. */
function amountsOf(purchase: Purchase, amount: bigint): DataFields {
  const number = toJsonNumber(amount, cardDecimals);
  const isOwnCurrency = purchase.localAmount === toJsonNumber(purchase.amount, cardDecimals);
  return {
    amount: number,
    local_amount: isOwnCurrency ? number : purchase.localAmount,
    local_currency: purchase.localCurrency,
  };
}
