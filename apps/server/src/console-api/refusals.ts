import type { CredentialRefusal, MerchantRefusal, RechargeRefusal } from "#merchants/index.ts";
import type { InvalidInput, ProductRefusal } from "#products/index.ts";
import type { ResolveRefusal } from "#settlement/index.ts";

/** Every reason for which the rooms refuse an operator, by its name. */
export type RefusalCode =
  | MerchantRefusal
  | CredentialRefusal
  | RechargeRefusal
  | Extract<ProductRefusal, string>
  | ResolveRefusal
  | SettlementFileRefusal;

type SettlementFileRefusal =
  | "settlement_file_unknown"
  | "settlement_file_id_reused"
  | "settlement_import_under_way"
  | "settlement_import_taken_over";

/** A refused call: by name, or with the field that cannot be. */
export type Refusal = RefusalCode | InvalidInput;

interface RefusalAnswer {
  readonly status: 400 | 404 | 409;
  readonly message: string;
  readonly field?: string;
}

/** 400: the call itself is wrong; 404: what it names is not there; 409: it does not fit the present state. */
export const refusalAnswers: Record<RefusalCode, RefusalAnswer> = {
  merchant_unknown: { status: 404, message: "no merchant has this number" },
  merchant_closed: { status: 409, message: "the merchant is closed and changes no more" },
  name_invalid: { status: 400, message: "must be one line of 1 to 128 characters", field: "name" },
  callback_url_invalid: {
    status: 400,
    message: "must be an absolute http(s) URL (https in production) without user, password or fragment, or empty",
    field: "callback_url",
  },
  card_frame_origin_invalid: {
    status: 400,
    message: "must be at most 20 origins like https://shop.example (https in production), without a path",
    field: "card_frame_origins",
  },
  utc_offset_invalid: { status: 400, message: "must be whole minutes from -720 to 840", field: "utc_offset_minutes" },
  failure_policy_invalid: {
    status: 400,
    message: "stand_in needs purchase_max, card_day_max and day_max, each above 0.00",
    field: "failure_policy",
  },
  credential_unknown: { status: 404, message: "the merchant has no credential with this id" },
  credential_is_primary: {
    status: 409,
    message: "the primary credential signs the callbacks and cannot be deleted; make another one primary first",
  },
  credential_disabled: { status: 409, message: "a disabled credential cannot be made primary; enable it first" },
  credentials_too_many: { status: 409, message: "the merchant has as many credentials as it may; delete one first" },
  label_invalid: { status: 400, message: "must be one line of at most 64 characters", field: "label" },
  allow_list_invalid: {
    status: 400,
    message: "must be at most 200 IPv4 or IPv6 addresses or CIDR ranges",
    field: "allow_list",
  },
  expiry_invalid: { status: 400, message: "must be a Unix time in milliseconds, or null", field: "expires_at" },
  recharge_unknown: { status: 404, message: "no recharge order has this number" },
  recharge_confirmed: { status: 409, message: "the recharge order is confirmed and booked already" },
  recharge_rejected: { status: 409, message: "the recharge order is rejected already" },
  reference_reused: { status: 409, message: "another order of this merchant has this reference", field: "reference" },
  reference_invalid: { status: 400, message: "must be one line of 1 to 128 characters", field: "reference" },
  amount_invalid: {
    status: 400,
    message: "must be a decimal text above 0 and at most 10000000000.00, with at most 2 decimals",
    field: "amount",
  },
  settlement_file_unknown: { status: 404, message: "no settlement file has this number" },
  settlement_file_id_reused: { status: 409, message: "another file of this network has this id and other content" },
  settlement_import_under_way: { status: 409, message: "this file is being imported; ask again when that has ended" },
  settlement_import_taken_over: { status: 409, message: "another import of this file has taken it over" },
  settlement_item_unknown: { status: 404, message: "no settlement item has this id" },
  settlement_item_resolved: { status: 409, message: "the item is resolved already" },
  note_invalid: { status: 400, message: "must be one line of 1 to 500 characters", field: "note" },
  bin_unknown: { status: 404, message: "no BIN has this number" },
  package_unknown: { status: 404, message: "no package has this number" },
  card_type_missing: { status: 400, message: "virtual or physical cards must be supported", field: "support_virtual" },
  card_type_not_on_bin: { status: 409, message: "the BIN does not support a card type that the package offers" },
};
