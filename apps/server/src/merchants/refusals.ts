import type { CertificateFault } from "./client-certificate-check.ts";

/** Every reason for which this room refuses; the faces map them totally to their own codes. */
export type SettingsRefusal =
  | "name_invalid"
  | "callback_url_invalid"
  | "card_frame_origin_invalid"
  | "utc_offset_invalid"
  | "failure_policy_invalid"
  | "credit_policy_invalid";

export type MerchantRefusal = SettingsRefusal | "merchant_unknown" | "merchant_closed";

export type CredentialRefusal =
  | "merchant_unknown"
  | "merchant_closed"
  | "credential_unknown"
  | "credential_is_primary"
  | "credential_disabled"
  | "credentials_too_many"
  | "label_invalid"
  | "allow_list_invalid"
  | "expiry_invalid";

export type WebhookSecretRefusal =
  | "merchant_unknown"
  | "merchant_closed"
  | "overlap_invalid"
  | "webhook_secrets_too_many";

export type ClientCertificateRefusal = "merchant_unknown" | "merchant_closed" | CertificateFault;

export type RechargeRefusal =
  | "merchant_unknown"
  | "recharge_unknown"
  | "recharge_confirmed"
  | "recharge_rejected"
  | "reference_reused"
  | "reference_invalid"
  | "amount_invalid";
