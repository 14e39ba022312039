import type { ExemptionRefusal, ParkedRefusal } from "#clearing/index.ts";
import type { BonusRefusal } from "#credit/index.ts";
import type {
  ClientCertificateRefusal,
  CredentialRefusal,
  MerchantRefusal,
  RechargeRefusal,
  ReserveOrderRefusal,
  ReserveSettingsRefusal,
  WebhookSecretRefusal,
} from "#merchants/index.ts";
import type { InvalidInput, ProductRefusal } from "#products/index.ts";
import type { ResolveRefusal } from "#settlement/index.ts";

/** Every reason for which the rooms refuse an operator, by its name. */
export type RefusalCode =
  | MerchantRefusal
  | CredentialRefusal
  | WebhookSecretRefusal
  | ClientCertificateRefusal
  | "client_certificate_unknown"
  | RechargeRefusal
  | ParkedRefusal
  | BonusRefusal
  | "currency_unknown"
  | "callback_unknown"
  | "callback_url_missing"
  | "resend_choice_invalid"
  | ExemptionRefusal
  | ReserveOrderRefusal
  | ReserveSettingsRefusal
  | "statement_unknown"
  | "day_invalid"
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
  credit_policy_invalid: {
    status: 400,
    message: "ratio, for the kind ratio only, must be above 0 and at most 100, with at most 4 decimals",
    field: "credit_policy",
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
  overlap_invalid: { status: 400, message: "must be whole hours from 0 to 168", field: "overlap_hours" },
  webhook_secrets_too_many: { status: 409, message: "the secret was rotated too often just now; wait a minute" },
  client_certificate_unknown: { status: 404, message: "the merchant has no client certificate" },
  client_certificate_invalid: {
    status: 400,
    message:
      "must be PEM: a leaf certificate for TLS clients, then at most four of its issuers, each of the one before it",
    field: "certificate_pem",
  },
  client_certificate_not_in_force: {
    status: 400,
    message: "the certificate has expired or is not valid yet",
    field: "certificate_pem",
  },
  client_key_invalid: {
    status: 400,
    message: "must be PEM without a password: RSA with 2048 to 4096 bits, P-256, P-384, P-521 or Ed25519",
    field: "private_key_pem",
  },
  client_key_mismatch: { status: 400, message: "is not the key of the certificate", field: "private_key_pem" },
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
  parked_refund_unknown: { status: 404, message: "no parked refund has this number" },
  parked_refund_resolved: { status: 409, message: "the parked refund was decided otherwise already" },
  cardholder_unknown: { status: 404, message: "the merchant has no cardholder with this number" },
  account_unknown: {
    status: 409,
    message: "the cardholder has no accounts: they come with its approval, and only in credit mode",
  },
  bonus_too_low: { status: 409, message: "the cardholder's bonus balance does not cover the amount", field: "amount" },
  bonus_reference_reused: {
    status: 409,
    message: "another bonus of this merchant has this reference",
    field: "reference",
  },
  callback_unknown: {
    status: 404,
    message: "the merchant has no push with this id, or not any more: they are kept for 30 days",
  },
  callback_url_missing: { status: 409, message: "the merchant has no callback URL" },
  resend_choice_invalid: { status: 400, message: "send exactly one of callback_ids, since and missed", field: "body" },
  currency_unknown: { status: 404, message: "no currency of ISO 4217 has this code" },
  reserve_order_unknown: { status: 404, message: "no reserve order has this number" },
  reserve_order_booked: { status: 409, message: "the order is booked already" },
  reserve_order_cancelled: { status: 409, message: "the order is cancelled already" },
  own_order: { status: 409, message: "another operator than the one who asked must approve" },
  reserve_too_low: { status: 409, message: "the reserve has less available than that; the order stays pending" },
  destination_invalid: { status: 400, message: "must be one line of 1 to 256 characters", field: "destination" },
  reason_invalid: { status: 400, message: "must be one line of 1 to 512 characters", field: "reason" },
  thresholds_invalid: {
    status: 400,
    message: "must be at most 10 different amounts above 0",
    field: "thresholds",
  },
  grace_invalid: {
    status: 400,
    message: "grace needs an amount above 0 and at most 10000000000.00, decline has none",
    field: "zero_policy",
  },
  statement_unknown: { status: 404, message: "the merchant has no statement of that day" },
  day_invalid: { status: 400, message: "must be dates in order, at most 366 days of them" },
  settlement_file_unknown: { status: 404, message: "no settlement file has this number" },
  settlement_file_id_reused: { status: 409, message: "another file of this network has this id and other content" },
  settlement_import_under_way: { status: 409, message: "this file is being imported; ask again when that has ended" },
  settlement_import_taken_over: { status: 409, message: "another import of this file has taken it over" },
  settlement_item_unknown: { status: 404, message: "no settlement item has this id" },
  settlement_item_resolved: { status: 409, message: "the item is resolved already" },
  note_invalid: { status: 400, message: "must be one line of 1 to 500 characters", field: "note" },
  bin_unknown: { status: 404, message: "no BIN has this number" },
  package_unknown: { status: 404, message: "no package has this number" },
  card_unknown: { status: 404, message: "the merchant has no card with this number", field: "card_no" },
  card_type_missing: { status: 400, message: "virtual or physical cards must be supported", field: "support_virtual" },
  card_type_not_on_bin: { status: 409, message: "the BIN does not support a card type that the package offers" },
};
