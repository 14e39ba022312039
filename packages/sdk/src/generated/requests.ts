/** Made by npm run generate from packages/contract: change that, not this file. */
import type { CardType, RequestableCardStatus, TransferType } from "./enumerations.ts";

/** Apply for a cardholder. Starts the identity check of a person, or with `cardholder_no` updates a rejected one. Asynchronous: poll the cardholder until its status is `Approved` or `Rejected`. */
export interface CardholderApplyParams {
  /** Only to update a cardholder: its number. */
  readonly cardholder_no?: string | undefined;
  /** Your number of the cardholder, at most 64 characters. On an update the one that is stored. */
  readonly cardholder_unique_no: string;
  /** Share token of the person's Sumsub applicant. Works once, for at most 20 minutes. */
  readonly sumsub_share_token: string;
}

/** List cardholders. Cardholders by the time of their application, newest first. */
export interface CardholderListParams {
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no?: string | undefined;
  /** Your number of the cardholder, at most 64 characters. */
  readonly cardholder_unique_no?: string | undefined;
  /** Start of the range, included: `yyyy-MM-dd` or `yyyy-MM-dd HH:mm:ss` in the zone of the `Timezone` header. */
  readonly start_time: string;
  /** End of the range, same forms. A bare date includes that whole day, a date-time that whole second. After `start_time`, at most 90 days later. */
  readonly end_time: string;
  /** Page number, from zero. Default 0. From 0 to 1000000. */
  readonly page?: number | undefined;
  /** Rows of a page, 1 to 100. Default 10. */
  readonly size?: number | undefined;
}

/** Where the cardholder lives. Physical cards: required, all but `address_line2`. Virtual cards: may be omitted; if present, `postal_code, country, state, city, address_line1` are required. English letters, digits, space and `- / # . , '` only. */
export interface AddressInfo {
  /** Given name. At most 64 characters. */
  readonly first_name?: string | undefined;
  /** Family name. At most 64 characters. */
  readonly last_name?: string | undefined;
  /** Dialling code of the phone, digits without `+`. */
  readonly phone_code?: string | undefined;
  /** Phone number without dialling code: digits, spaces and hyphens. At most 20 characters. */
  readonly phone?: string | undefined;
  /** Postal code in the form of the country. At most 16 characters. */
  readonly postal_code?: string | undefined;
  /** ISO 3166-1 alpha-2, upper case. */
  readonly country?: string | undefined;
  /** State, province or region. At most 64 characters. */
  readonly state?: string | undefined;
  /** City. At most 64 characters. */
  readonly city?: string | undefined;
  /** Street and number. At most 128 characters. */
  readonly address_line1?: string | undefined;
  /** Flat, floor; never required. At most 128 characters. */
  readonly address_line2?: string | undefined;
}

/** Apply for a card. Opens a card for an approved cardholder: on a `package_no` in credit mode, on a `card_bin_no` in authorization mode. Issuing makes an `Open_card` consumption where the product has an opening cost. */
export interface CardApplyParams {
  /** Authorization mode: the BIN to open the card on. */
  readonly card_bin_no?: string | undefined;
  /** Credit mode: the package to open the card on. */
  readonly package_no?: string | undefined;
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** Your number of the card, at most 64 characters. The idempotency key: the same content again gets the first answer, other content is 4004. */
  readonly card_unique_no: string;
  /** Virtual, or physical and sent by post. */
  readonly card_type: CardType;
  /** Where the cardholder lives. Physical cards: required, all but `address_line2`. Virtual cards: may be omitted; if present, `postal_code, country, state, city, address_line1` are required. English letters, digits, space and `- / # . , '` only. */
  readonly address_info?: AddressInfo | undefined;
}

/** List cards. Cards by the time of their application, newest first. */
export interface CardListParams {
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no?: string | undefined;
  /** Your number of the card, at most 64 characters. */
  readonly card_unique_no?: string | undefined;
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no?: string | undefined;
  /** Start of the range, included: `yyyy-MM-dd` or `yyyy-MM-dd HH:mm:ss` in the zone of the `Timezone` header. */
  readonly start_time: string;
  /** End of the range, same forms. A bare date includes that whole day, a date-time that whole second. After `start_time`, at most 90 days later. */
  readonly end_time: string;
  /** Page number, from zero. Default 0. From 0 to 1000000. */
  readonly page?: number | undefined;
  /** Rows of a page, 1 to 100. Default 10. */
  readonly size?: number | undefined;
}

/** Activate a physical card. `ToActivate` becomes `Activated` when CVV and last four digits match. Five wrong tries in a row lock the activation for 30 minutes. */
export interface CardActivateWireParams {
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** The three digits of the CVV, encrypted like the private info. Plain text is refused. */
  readonly cvv: string;
  /** Last four digits of the card number. */
  readonly card_last_no: string;
}

/** Freeze, unfreeze or delete a card. `Activated` and `Frozen` change into each other; `ToActivate`, `Activated` and `Frozen` into `Delete`. */
export interface CardStatusUpdateParams {
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** The status asked for. `Delete` is final. The present status again is a success without effect. */
  readonly status: RequestableCardStatus;
}

/** Set a card's PIN. For activated physical cards. */
export interface CardPinWireParams {
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** The PIN, encrypted like the private info: 6 digits without three or more identical or sequential ones in a row. */
  readonly pin: string;
}

/** Transfer credit. Gives TUSDT credit to a cardholder's account (`In`) or takes the available part of it back (`Out`). */
export interface TransferParams {
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no: string;
  /** Your number of the transfer, at most 64 characters. The idempotency key: the same content again gets the first answer, other content is 3004. */
  readonly transfer_unique_no: string;
  /** `In` gives credit to the cardholder, `Out` takes it back. Upper or lower case. */
  readonly type: TransferType;
  /** The amount to move, TUSDT: above zero, at most 2 decimals. */
  readonly balance: string;
}

/** List transfers. Transfers by time, newest first. */
export interface TransferListParams {
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no?: string | undefined;
  /** Our number of the transfer. */
  readonly transfer_no?: string | undefined;
  /** Your number of the transfer, at most 64 characters. */
  readonly transfer_unique_no?: string | undefined;
  /** Start of the range, included: `yyyy-MM-dd` or `yyyy-MM-dd HH:mm:ss` in the zone of the `Timezone` header. */
  readonly start_time: string;
  /** End of the range, same forms. A bare date includes that whole day, a date-time that whole second. After `start_time`, at most 90 days later. */
  readonly end_time: string;
  /** Page number, from zero. Default 0. From 0 to 1000000. */
  readonly page?: number | undefined;
  /** Rows of a page, 1 to 100. Default 10. */
  readonly size?: number | undefined;
}

/** List packages. The packages that cards can be opened on in credit mode, with limits and fees. */
export interface PackageListParams {
  /** Only packages that offer this card type. */
  readonly type?: CardType | undefined;
  /** Our number of the package. */
  readonly package_no?: string | undefined;
  /** Page number, from zero. Default 0. From 0 to 1000000. */
  readonly page?: number | undefined;
  /** Rows of a page, 1 to 100. Default 10. */
  readonly size?: number | undefined;
}

/** List supported BINs. The BINs that cards can be opened on in authorization mode, with limits. */
export interface BinListParams {
  /** Our number of the BIN. */
  readonly card_bin_no?: string | undefined;
  /** Page number, from zero. Default 0. From 0 to 1000000. */
  readonly page?: number | undefined;
  /** Rows of a page, 1 to 100. Default 10. */
  readonly size?: number | undefined;
}

/** List consumptions. Consumptions by time, newest first. */
export interface ConsumptionListParams {
  /** Our number of the cardholder, at most 32 characters. */
  readonly cardholder_no?: string | undefined;
  /** Our number of the consumption. */
  readonly consume_no?: string | undefined;
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no?: string | undefined;
  /** Start of the range, included: `yyyy-MM-dd` or `yyyy-MM-dd HH:mm:ss` in the zone of the `Timezone` header. */
  readonly start_time: string;
  /** End of the range, same forms. A bare date includes that whole day, a date-time that whole second. After `start_time`, at most 90 days later. */
  readonly end_time: string;
  /** Page number, from zero. Default 0. From 0 to 1000000. */
  readonly page?: number | undefined;
  /** Rows of a page, 1 to 100. Default 10. */
  readonly size?: number | undefined;
}
