/** Made by npm run generate from packages/contract: change that, not this file. */
import type { CardStatus, CardType, CardholderStatus, ConsumptionType, ExemptionType, FeeType, ManageFeeType, ManagementFeeFreeType, PackageType, TransactionStatus, TransferType } from "./enumerations.ts";

export interface CardholderApplyResult {
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** Your number of the cardholder, at most 64 characters. */
  readonly cardholder_unique_no: string;
}

export interface CardholderListItem {
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** Your number of the cardholder, at most 64 characters. */
  readonly cardholder_unique_no: string;
  /** From the identity check; empty before it is known. */
  readonly email: string;
  /** Why the check refused the person; else empty. */
  readonly fail_reason: string;
  /** State of the identity check. */
  readonly status: CardholderStatus;
  /** When the cardholder applied first. Unix milliseconds. */
  readonly time: number;
}

export interface CardholderCard {
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** Your number of the card. */
  readonly card_unique_no: string;
  /** Type of the card. */
  readonly card_type: CardType;
  /** Last four digits of the card number. */
  readonly card_last_no: string;
  /** Card organization. */
  readonly organization: string;
  /** Status of the card. */
  readonly status: CardStatus;
}

export interface Account {
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** Currency of the account. */
  readonly symbol: string;
  /** Chain of the currency. */
  readonly symbol_chain: string;
  /** Balance, frozen part included. */
  readonly balance: string;
  /** Balance in USD. */
  readonly usd_balance: string;
  /** Bonus balance. */
  readonly bonus_balance: string;
  /** Bonus balance in USD. */
  readonly usd_bonus_balance: string;
  /** Part of the balance that authorizations hold. */
  readonly frozen_balance: string;
  /** Frozen part in USD. */
  readonly usd_frozen_balance: string;
}

export interface Cardholder {
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** Your number of the cardholder, at most 64 characters. */
  readonly cardholder_unique_no: string;
  /** From the identity check; empty before it is known. */
  readonly email: string;
  /** State of the identity check. */
  readonly status: CardholderStatus;
  /** All accounts together in USD, frozen part included. */
  readonly total_balance: string;
  /** When the cardholder applied first. Unix milliseconds. */
  readonly time: number;
  /** The cardholder's issued cards. */
  readonly card_list: readonly CardholderCard[];
  /** The cardholder's accounts, as in the account information. */
  readonly account_list: readonly Account[];
}

export interface CardApplyResult {
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** Your number of the card, at most 64 characters. */
  readonly card_unique_no: string;
}

export interface CardListItem {
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** Your number of the card, at most 64 characters. */
  readonly card_unique_no: string;
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** Virtual, or physical and sent by post. */
  readonly card_type: CardType;
  /** Last four digits of the card number; empty before the card is made. */
  readonly card_last_no: string;
  /** Card organization. */
  readonly organization: string;
  /** `Pending` being made, `ToActivate`, `Activated`, `Fail` application failed, `Frozen`, `Delete`. The last of a failed or deleted card. */
  readonly status: CardStatus;
  /** When the card was applied for. Unix milliseconds. */
  readonly time: number;
}

/** The fees of a package or card. Rates are fractions, fees are in the card's currency. */
export interface FeeDetail {
  /** Rate added to a purchase in the card's currency, a fraction: `"0.05"` is 5 %. */
  readonly consume_rate: string;
  /** Cost of opening a card. */
  readonly open_cost: string;
  /** Rate added to a purchase in any other currency, a fraction. */
  readonly cross_consume_rate: string;
  /** Purchases below it also pay `small_consume_deduct`. */
  readonly small_consume_threshold: string;
  /** Fee of a small purchase. */
  readonly small_consume_deduct: string;
  /** Small purchases without that fee, per card and exemption period. */
  readonly free_small_consume_count: number;
  /** Exemption period of small purchases. */
  readonly free_small_excuse_type: ExemptionType;
  /** Days of that period when it is `Day`. */
  readonly free_small_excuse_days: number;
  /** Rate of a refund, a fraction. */
  readonly refund_rate: string;
  /** Fee of a purchase that is cancelled. */
  readonly consume_cancle_fee: string;
  /** Cancelling costs from this amount on. */
  readonly consume_cancel_threshold: string;
  /** Fee of a declined purchase. */
  readonly decline_fee: string;
  /** Declined purchases without that fee, per card and exemption period. */
  readonly decline_fee_free_count: number;
  /** Exemption period of declined purchases. */
  readonly decline_fee_free_type: ExemptionType;
  /** Days of that period when it is `Day`. */
  readonly decline_fee_free_days: number;
  /** Rate of a cash withdrawal, a fraction. */
  readonly atm_rate: string;
  /** Least fee of a cash withdrawal. */
  readonly atm_min_fee: string;
  /** Fee of a wallet authorization. */
  readonly apple_pay_fee: string;
  /** How often the management fee is taken. */
  readonly manage_fee_type: ManageFeeType;
  /** Management fee of one period. */
  readonly manage_fee: string;
  /** What waives the management fee: the amount spent, or the number of purchases. */
  readonly management_fee_free_type: ManagementFeeFreeType;
  /** Waived when the period reaches this amount or number. */
  readonly free_management_fee_threshold: string;
}

export interface Card {
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** Your number of the card, at most 64 characters. */
  readonly card_unique_no: string;
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** Name on the card. */
  readonly card_name: string;
  /** English name of the package; empty in authorization mode. */
  readonly package_name_en: string;
  /** Chinese name of the package; empty in authorization mode. */
  readonly package_name_cn: string;
  /** Virtual, or physical and sent by post. */
  readonly card_type: CardType;
  /** Card organization. */
  readonly organization: string;
  /** Last four digits of the card number; empty before the card is made. */
  readonly card_last_no: string;
  /** The fees of a package or card. Rates are fractions, fees are in the card's currency. */
  readonly fee_detail: FeeDetail;
  /** `Pending` being made, `ToActivate`, `Activated`, `Fail` application failed, `Frozen`, `Delete`. The last of a failed or deleted card. */
  readonly status: CardStatus;
  /** When the card was applied for. Unix milliseconds. */
  readonly time: number;
}

export interface CardActivateResult {
  /** Always true. */
  readonly result: boolean;
}

export interface CardStatusUpdateResult {
  /** Always true. */
  readonly result: boolean;
}

export interface CardPinResult {
  /** Always true. */
  readonly result: boolean;
}

export interface ClientToken {
  /** Opens the card frame once for this card. */
  readonly client_access_token: string;
  /** Seconds until the token stops working. */
  readonly expires_in: number;
}

export interface TransferResult {
  /** Our number of the transfer. */
  readonly transfer_no: string;
  /** Your number of the transfer, at most 64 characters. */
  readonly transfer_unique_no: string;
  /** The account's balance before, frozen part included. */
  readonly before_balance: string;
  /** The account's balance after, frozen part included. */
  readonly after_balance: string;
}

export interface Transfer {
  /** Our number of the transfer. */
  readonly transfer_no: string;
  /** Your number of the transfer, at most 64 characters. */
  readonly transfer_unique_no: string;
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** Direction. */
  readonly type: TransferType;
  /** Amount moved, TUSDT. */
  readonly balance: string;
  /** The account's balance before, frozen part included. */
  readonly before_balance: string;
  /** The account's balance after, frozen part included. */
  readonly after_balance: string;
  /** Status of the transfer. */
  readonly status: TransactionStatus;
  /** When the transfer was made. Unix milliseconds. */
  readonly time: number;
}

/** Spending limits of a product. */
export interface Limits {
  /** Most that one purchase may take, card currency. */
  readonly limit_balance: string;
  /** Most in a week, card currency. */
  readonly limit_week_balance: string;
  /** Most cash in a day, card currency. */
  readonly limit_atm_day_balance: string;
  /** Most cash in a month, card currency. */
  readonly limit_atm_month_balance: string;
}

export interface Package {
  /** Our number of the package. */
  readonly package_no: string;
  /** English name. */
  readonly package_en_name: string;
  /** Chinese name. */
  readonly package_cn_name: string;
  /** First digits of the product's card numbers. */
  readonly card_bin: string;
  /** Our number of the BIN. */
  readonly card_bin_no: string;
  /** Card organization. */
  readonly organization: string;
  /** Card types it offers. */
  readonly package_type: PackageType;
  /** English description. */
  readonly en_desc: string;
  /** Chinese description. */
  readonly cn_desc: string;
  /** English tags. */
  readonly en_tag_list: readonly string[];
  /** Chinese tags. */
  readonly cn_tag_list: readonly string[];
  /** Spending limits of a product. */
  readonly consumption_limit: Limits;
  /** The fees of a package or card. Rates are fractions, fees are in the card's currency. */
  readonly fee_detail: FeeDetail;
}

export interface Bin {
  /** Our number of the BIN. */
  readonly card_bin_no: string;
  /** First digits of the product's card numbers. */
  readonly card_bin: string;
  /** Card organization. */
  readonly organization: string;
  /** Physical cards can be made. */
  readonly support_physical: boolean;
  /** Virtual cards can be made. */
  readonly support_virtual: boolean;
  /** Card currencies, ISO 4217. */
  readonly currencies: readonly string[];
  /** Spending limits of a product. */
  readonly balance_limit: Limits;
}

export interface Fee {
  /** What the fee is for. */
  readonly fee_type: FeeType;
  /** The fee. */
  readonly amount: string;
}

/** The shop. */
export interface MerchantInfo {
  /** Country of the shop; may be empty. */
  readonly country: string;
  /** Merchant category code; may be empty. */
  readonly merchant_mcc: string;
  /** City of the shop; may be empty. */
  readonly city: string;
  /** Name of the shop; may be empty. */
  readonly merchant_name: string;
}

export interface Consumption {
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
  /** Amount in the card's currency, without fees, never negative. */
  readonly amount: string;
  /** Amount in the shop's currency, with that currency's number of decimals. */
  readonly local_amount: string;
  /** Currency of the shop, ISO 4217. */
  readonly local_currency: string;
  /** Sum of the fees. */
  readonly fee: string;
  /** The fees one by one. */
  readonly fee_list: readonly Fee[];
  /** Reason code of a decline, or `expired`, `reversed`, `stand_in`; else empty. */
  readonly remark: string;
  /** A sentence for `remark`; else empty. */
  readonly detail: string;
  /** The shop. */
  readonly merchant_info: MerchantInfo;
  /** `Pending` authorized, `Success` cleared, `Fail` declined, expired or reversed. */
  readonly status: TransactionStatus;
  /** When the consumption was created. Unix milliseconds. */
  readonly time: number;
}

export interface ConsumptionListItem {
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
  /** Amount in the card's currency, without fees, never negative. */
  readonly amount: string;
  /** Amount in the shop's currency, with that currency's number of decimals. */
  readonly local_amount: string;
  /** Currency of the shop, ISO 4217. */
  readonly local_currency: string;
  /** Sum of the fees. */
  readonly fee: string;
  /** Reason code of a decline, or `expired`, `reversed`, `stand_in`; else empty. */
  readonly remark: string;
  /** A sentence for `remark`; else empty. */
  readonly detail: string;
  /** `Pending` authorized, `Success` cleared, `Fail` declined, expired or reversed. */
  readonly status: TransactionStatus;
  /** When the consumption was created. Unix milliseconds. */
  readonly time: number;
}

export interface AccessToken {
  /** Send it as the `Access-Token` header of all other requests. */
  readonly access_token: string;
  /** When the token stops working, 24 hours from now. Unix milliseconds. */
  readonly expired_time: number;
}

export interface CardPrivateInfo {
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** Your number of the card, at most 64 characters. */
  readonly card_unique_no: string;
  /** Three digits. */
  readonly cvv: string;
  /** The card number. */
  readonly pan: string;
  /** Four digits. */
  readonly exp_year: string;
  /** Two digits. */
  readonly exp_month: string;
}
