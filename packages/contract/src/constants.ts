/** The enumerations of contract sections 2, 3.1 and 4, spelt as on the wire. */
export const MERCHANT_MODES = ["CREDIT_EXTENSION", "AUTHORIZATION"] as const;
export type MerchantMode = (typeof MERCHANT_MODES)[number];

/** Status of a transfer or a consumption. */
export const TRANSACTION_STATUSES = ["Pending", "Success", "Fail"] as const;
export type TransactionStatus = (typeof TRANSACTION_STATUSES)[number];

export const CARD_STATUSES = ["Pending", "ToActivate", "Activated", "Fail", "Frozen", "Delete"] as const;
export type CardStatus = (typeof CARD_STATUSES)[number];

/** The statuses a merchant may ask for with `card/status/update`. */
export const REQUESTABLE_CARD_STATUSES = ["Frozen", "Activated", "Delete"] as const satisfies readonly CardStatus[];
export type RequestableCardStatus = (typeof REQUESTABLE_CARD_STATUSES)[number];

export const CARD_TYPES = ["Virtual", "Physical"] as const;
export type CardType = (typeof CARD_TYPES)[number];

/** What a package offers: one card type or both. */
export const PACKAGE_TYPES = ["Virtual", "Physical", "Virtual,Physical"] as const;
export type PackageType = (typeof PACKAGE_TYPES)[number];

export const CARDHOLDER_STATUSES = ["Pending", "In_progress", "Approved", "Rejected"] as const;
export type CardholderStatus = (typeof CARDHOLDER_STATUSES)[number];

export const TRANSFER_TYPES = ["In", "Out"] as const;
export type TransferType = (typeof TRANSFER_TYPES)[number];

export const CONSUMPTION_TYPES = ["Open_card", "Consumption", "Atm", "Manage_fee", "Reversal", "Refund"] as const;
export type ConsumptionType = (typeof CONSUMPTION_TYPES)[number];

export const FEE_TYPES = [
  "Consume_fee",
  "Apple_auth_fee",
  "Auth_fee",
  "Atm_fee",
  "Exchange_fee",
  "Decline_fee",
  "Small_fee",
  "Refund_fee",
  "Cancel_fee",
] as const;
export type FeeType = (typeof FEE_TYPES)[number];

export const CALLBACK_ACTIONS = ["Auth", "Consumption", "Card_update"] as const;
export type CallbackAction = (typeof CALLBACK_ACTIONS)[number];

/** How long a free count lasts: for ever, not at all, or for a number of days. */
export const EXEMPTION_TYPES = ["Forever", "None", "Day"] as const;
export type ExemptionType = (typeof EXEMPTION_TYPES)[number];

export const MANAGE_FEE_TYPES = ["Month", "Year", "None"] as const;
export type ManageFeeType = (typeof MANAGE_FEE_TYPES)[number];

export const MANAGEMENT_FEE_FREE_TYPES = ["Amount", "Count", "None"] as const;
export type ManagementFeeFreeType = (typeof MANAGEMENT_FEE_FREE_TYPES)[number];

/** The one currency of cardholder accounts, worth 1 USD each, and the chain it is reported on. */
export const ACCOUNT_SYMBOL = "TUSDT";
export const ACCOUNT_SYMBOL_CHAIN = "TRC20";

/** Path prefix of every endpoint (section 1). */
export const API_PREFIX = "/open-api/v1";

/** A body above this is answered with HTTP 413 (section 9). */
export const BODY_BYTES_MAX = 65_536;

export const PAGE_DEFAULT = 0;
/** A page number beyond a million asks for rows that no 90 days of one merchant hold. */
export const PAGE_MAX = 1_000_000;
export const SIZE_DEFAULT = 10;
export const SIZE_MAX = 100;
/** Longest range of a list request in days, counted inclusively for bare dates (sections 1 and 9). */
export const RANGE_DAYS_MAX = 90;

const PUBLIC_NUMBER = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * Whether a text can be one of our numbers at all (section 1: at most 32 characters, safe in a URL). Anything else is
 * answered as a number that does not exist, without asking the database, which cannot even store some of it (NUL).
 */
export function isPublicNumber(text: string): boolean {
  return PUBLIC_NUMBER.test(text);
}
