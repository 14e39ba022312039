/** Made by npm run generate from packages/contract: change that, not this file. */

export type MerchantMode = "CREDIT_EXTENSION" | "AUTHORIZATION";
export type TransactionStatus = "Pending" | "Success" | "Fail";
export type CardStatus = "Pending" | "ToActivate" | "Activated" | "Fail" | "Frozen" | "Delete";
export type RequestableCardStatus = "Frozen" | "Activated" | "Delete";
export type CardType = "Virtual" | "Physical";
export type PackageType = "Virtual" | "Physical" | "Virtual,Physical";
export type CardholderStatus = "Pending" | "In_progress" | "Approved" | "Rejected";
export type TransferType = "In" | "Out";
export type ConsumptionType = "Open_card" | "Consumption" | "Atm" | "Manage_fee" | "Reversal" | "Refund";
export type FeeType = "Consume_fee" | "Apple_auth_fee" | "Auth_fee" | "Atm_fee" | "Exchange_fee" | "Decline_fee" | "Small_fee" | "Refund_fee" | "Cancel_fee";
export type CallbackAction = "Auth" | "Consumption" | "Card_update";
export type PushAction = "Consumption" | "Card_update";
export type CallbackState = "Open" | "Delivered" | "Given_up";
export type ExemptionType = "Forever" | "None" | "Day";
export type ManageFeeType = "Month" | "Year" | "None";
export type ManagementFeeFreeType = "Amount" | "Count" | "None";
