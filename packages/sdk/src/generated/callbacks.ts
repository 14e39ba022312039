/** Made by npm run generate from packages/contract: change that, not this file. */
import type { CardStatus, ConsumptionType, FeeType, TransactionStatus } from "./enumerations.ts";
import type { MerchantInfo } from "./answers.ts";

export interface AuthData {
  /** Our number of the consumption. */
  readonly consume_no: string;
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** What it is. */
  readonly type: ConsumptionType;
  /** Amount in the card's currency, without fees. A JSON number in its shortest form. */
  readonly amount: number;
  /** Amount in the shop's currency. A JSON number in its shortest form. */
  readonly local_amount: number;
  /** Currency of the shop, ISO 4217. */
  readonly local_currency: string;
  /** The shop. */
  readonly merchant_info: MerchantInfo;
  /** Always `Pending`. */
  readonly status: "Pending";
  /** When the purchase arrived. Unix milliseconds. */
  readonly time: number;
}

export interface CallbackFee {
  /** The fee. A JSON number in its shortest form. */
  readonly amount: number;
  /** What the fee is for. */
  readonly fee_type: FeeType;
}

export interface ConsumptionData {
  /** Our number of the consumption. */
  readonly consume_no: string;
  /** Of a reversal or refund: the original consumption; else empty. */
  readonly consume_relate_no: string;
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** What it is. */
  readonly type: ConsumptionType;
  /** Amount in the card's currency, without fees. A JSON number in its shortest form. */
  readonly amount: number;
  /** Amount in the shop's currency. A JSON number in its shortest form. */
  readonly local_amount: number;
  /** Currency of the shop, ISO 4217. */
  readonly local_currency: string;
  /** Sum of `fee_detail`. A JSON number in its shortest form. */
  readonly fee: number;
  /** Reason code of a decline, or `expired`, `reversed`, `stand_in`; else empty. */
  readonly remark: string;
  /** A sentence for `remark`; else empty. */
  readonly detail: string;
  /** The fees above zero. */
  readonly fee_detail: readonly CallbackFee[];
  /** The shop. */
  readonly merchant_info: MerchantInfo;
  /** `Pending` authorized, `Success` cleared, `Fail` declined, expired or reversed. */
  readonly status: TransactionStatus;
  /** When this change happened. Unix milliseconds. */
  readonly time: number;
}

export interface CardUpdateData {
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** Status of the card. */
  readonly before_status: CardStatus;
  /** Status of the card. */
  readonly after_status: CardStatus;
  /** Why; may be empty. */
  readonly reason: string;
  /** When the status changed. Unix milliseconds. */
  readonly time: number;
}
