/**
 * Why a purchase was declined, or what later became of it (contract section 9, "Declines"). The code goes into a
 * consumption's `remark`, the sentence into `detail`.
 */
import type { Language } from "./errors.ts";

interface DeclineEntry {
  /** The sentence a consumption carries in `detail`. */
  readonly en: string;
  readonly zh: string;
  /** Field 39 of the answer to the network (ISO 8583:1987, two characters). */
  readonly responseCode: string;
  /** For the reference: when it happens and what to look at. */
  readonly explanation: string;
}

interface RemarkEntry extends Omit<DeclineEntry, "responseCode"> {
  /** Null where no answer to the network goes with the remark. */
  readonly responseCode: string | null;
}

export const DECLINES = {
  card_not_found: {
    en: "The card number is not known.",
    zh: "卡号不存在。",
    responseCode: "14",
    explanation: "The network asked about a card number that no card has.",
  },
  card_not_active: {
    en: "The card is not active.",
    zh: "卡片未激活。",
    responseCode: "78",
    explanation: "The card is still being made, waits for activation, or was deleted.",
  },
  card_frozen: {
    en: "The card is frozen.",
    zh: "卡片已冻结。",
    responseCode: "62",
    explanation: "The card was frozen by the merchant or the operator.",
  },
  card_expired: {
    en: "The card has expired or the expiry date is wrong.",
    zh: "卡片已过期或有效期错误。",
    responseCode: "54",
    explanation: "The card's last month has passed, or the expiry that was given is not the card's.",
  },
  cvv_mismatch: {
    en: "The security code is wrong.",
    zh: "CVV 错误。",
    responseCode: "82",
    explanation: "The CVV that was given is not the card's.",
  },
  pin_mismatch: {
    en: "The PIN is wrong.",
    zh: "PIN 错误。",
    responseCode: "55",
    explanation: "The PIN that was given is not the card's. The try is counted.",
  },
  pin_tries_exceeded: {
    en: "The PIN was wrong too many times.",
    zh: "PIN 错误次数过多。",
    responseCode: "75",
    explanation: "PIN entry of this card is locked after too many wrong tries.",
  },
  limit_per_purchase: {
    en: "The amount is above the limit of one purchase.",
    zh: "超过单笔消费限额。",
    responseCode: "61",
    explanation: "`limit_balance` of the product.",
  },
  limit_week: {
    en: "The weekly limit is reached.",
    zh: "超过每周消费限额。",
    responseCode: "61",
    explanation: "`limit_week_balance` of the product.",
  },
  limit_atm_day: {
    en: "The daily cash limit is reached.",
    zh: "超过每日取现限额。",
    responseCode: "61",
    explanation: "`limit_atm_day_balance` of the product.",
  },
  limit_atm_month: {
    en: "The monthly cash limit is reached.",
    zh: "超过每月取现限额。",
    responseCode: "61",
    explanation: "`limit_atm_month_balance` of the product.",
  },
  insufficient_credit: {
    en: "The cardholder's balance does not cover amount and fees.",
    zh: "持卡人余额不足以支付金额及手续费。",
    responseCode: "51",
    explanation: "Credit mode: transfer more credit to the cardholder's account.",
  },
  insufficient_reserve: {
    en: "The merchant's reserve does not cover amount and costs.",
    zh: "商户储备金不足以支付金额及成本。",
    responseCode: "51",
    explanation: "Recharge the reserve.",
  },
  merchant_declined: {
    en: "The merchant declined the purchase.",
    zh: "商户拒绝了该交易。",
    responseCode: "05",
    explanation: "Authorization mode: the answer to `Auth` had a `code` other than 0.",
  },
  merchant_timeout: {
    en: "The merchant did not answer in time.",
    zh: "商户未在规定时间内响应。",
    responseCode: "05",
    explanation: "Authorization mode: the whole answer was not there after 800 ms.",
  },
  merchant_unreachable: {
    en: "The merchant could not be reached.",
    zh: "无法连接商户。",
    responseCode: "05",
    explanation: "Authorization mode: no connection to the callback URL, or it broke before an answer.",
  },
  merchant_bad_answer: {
    en: "The merchant's answer could not be understood.",
    zh: "无法识别商户的响应。",
    responseCode: "05",
    explanation: "Authorization mode: HTTP status not 2xx, no JSON, or no numeric `code`.",
  },
  merchant_busy: {
    en: "Too many questions to the merchant are open.",
    zh: "等待商户响应的请求过多。",
    responseCode: "05",
    explanation: "Authorization mode: the bound on questions in flight to one merchant was reached.",
  },
  merchant_circuit_open: {
    en: "The merchant is not asked for the moment, after repeated failures.",
    zh: "商户多次响应失败，暂停询问。",
    responseCode: "05",
    explanation: "Authorization mode: asking starts again by itself once a trial question is answered.",
  },
  merchant_disabled: {
    en: "The merchant is not active.",
    zh: "商户未启用。",
    responseCode: "57",
    explanation: "The merchant is suspended or closed.",
  },
  currency_not_supported: {
    en: "The currency is not supported.",
    zh: "不支持该币种。",
    responseCode: "57",
    explanation: "There is no rate between the transaction's currency and the card's.",
  },
  duplicate: {
    en: "The same transaction was received before.",
    zh: "重复交易。",
    responseCode: "94",
    explanation: "The network sent one transaction twice with different content.",
  },
  system_error: {
    en: "The purchase could not be processed.",
    zh: "系统无法处理该交易。",
    responseCode: "96",
    explanation: "Something failed on our side; nothing was taken.",
  },
} as const satisfies Record<string, DeclineEntry>;

/** What can stand in `remark` of a consumption that was not declined when it was asked for. */
export const LATER_REMARKS = {
  expired: {
    en: "The hold expired before the purchase was cleared.",
    zh: "预授权已过期。",
    responseCode: null,
    explanation: "No clearing came in time; the amount is available again.",
  },
  reversed: {
    en: "The purchase was reversed in full.",
    zh: "交易已全额撤销。",
    responseCode: null,
    explanation: "The shop or the network cancelled the purchase before clearing.",
  },
  stand_in: {
    en: "Approved on the merchant's behalf by its time-out policy.",
    zh: "根据商户的超时策略代为批准。",
    responseCode: "00",
    explanation: "Authorization mode: the merchant did not answer in time and has allowed stand-in up to set limits.",
  },
  network_stand_in: {
    en: "Approved by the card network in our stead.",
    zh: "由卡组织代为批准。",
    responseCode: "00",
    explanation: "The network could not reach the platform and approved by itself; it told so afterwards.",
  },
  partially_cleared: {
    en: "A part has been cleared, more may follow.",
    zh: "已部分清算，可能还有后续清算。",
    responseCode: null,
    explanation: "The shop clears in several parts; the rest is still held.",
  },
  over_captured: {
    en: "Cleared for more than was authorized.",
    zh: "清算金额超过授权金额。",
    responseCode: null,
    explanation: "Tips, fuel, hotels: a clearing cannot be refused, so the difference was taken as well.",
  },
  cleared_late: {
    en: "Cleared after its authorization had ended.",
    zh: "授权结束后才清算。",
    responseCode: null,
    explanation: "The hold had expired or was reversed, and the clearing came all the same.",
  },
  force_posted: {
    en: "Cleared without an authorization.",
    zh: "无授权强制入账。",
    responseCode: null,
    explanation: "The shop never asked; a clearing cannot be refused.",
  },
  reversed_after_clearing: {
    en: "Reversed after it was cleared.",
    zh: "清算后撤销。",
    responseCode: null,
    explanation: "The amount was given back; its fees were not.",
  },
  fee_not_covered: {
    en: "The fee could not be taken.",
    zh: "余额不足，无法收取费用。",
    responseCode: null,
    explanation: "A fee taken by itself was not covered by the account that pays it.",
  },
} as const satisfies Record<string, RemarkEntry>;

export type DeclineReason = keyof typeof DECLINES;
export type LaterRemark = keyof typeof LATER_REMARKS;
/** Everything that `remark` can hold besides `""`. */
export type Remark = DeclineReason | LaterRemark;

const REMARKS: Readonly<Record<Remark, RemarkEntry>> = { ...DECLINES, ...LATER_REMARKS };

export interface RemarkDescription extends RemarkEntry {
  readonly remark: Remark;
}

export const remarkList: readonly RemarkDescription[] = Object.keys(REMARKS)
  .filter(isRemark)
  .map((remark) => ({ remark, ...REMARKS[remark] }));

/** True for a reason with which a purchase is declined. */
export function isDeclineReason(text: string): text is DeclineReason {
  return Object.hasOwn(DECLINES, text);
}

function isRemark(text: string): text is Remark {
  return Object.hasOwn(REMARKS, text);
}

/** The sentence for `detail`. */
export function remarkSentence(remark: Remark, language: Language): string {
  return language === "zh_CN" ? REMARKS[remark].zh : REMARKS[remark].en;
}

/** ISO 8583 field 39 for a decline. */
export function responseCodeOf(reason: DeclineReason): string {
  return DECLINES[reason].responseCode;
}

/**
 * What a merchant may say as `reason` when it declines a question (contract section 8), and the code that the network is told for
 * it (ISO 8583 field 39). Any other word is kept with the consumption and told as a plain decline.
 */
export const MERCHANT_REASONS = {
  do_not_honor: "05",
  insufficient_funds: "51",
  exceeds_limit: "61",
  exceeds_frequency: "65",
  suspected_fraud: "59",
  restricted_card: "62",
  user_frozen: "62",
  merchant_category_blocked: "57",
  transaction_not_permitted: "57",
  card_lost: "41",
  card_stolen: "43",
} as const satisfies Readonly<Record<string, string>>;

export type MerchantReason = keyof typeof MERCHANT_REASONS;

/** Null for a reason that is not in the table. */
export function responseCodeOfMerchantReason(reason: string): string | null {
  return isMerchantReason(reason) ? MERCHANT_REASONS[reason] : null;
}

function isMerchantReason(reason: string): reason is MerchantReason {
  return Object.hasOwn(MERCHANT_REASONS, reason);
}
