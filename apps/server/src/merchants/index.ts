/** Merchants, their credentials with allow-lists, their settings and their reserve. */
export { allowListEntriesMax, allowListEntryCharactersMax, ipAllowed } from "./allow-list.ts";
export type { ClientCertificate, ClientCertificates, NewClientCertificate } from "./client-certificate.ts";
export type {
  CallbackTarget,
  Caller,
  Credential,
  CredentialChange,
  CredentialStatus,
  NewCredential,
} from "./credential.ts";
export { type CredentialRequest, expiryMsMax, labelCharactersMax } from "./credentials.ts";
export {
  type CreditPolicy,
  creditPolicyKinds,
  declineOnFailure,
  type FailurePolicy,
  failurePolicyKinds,
  type Merchant,
  type MerchantChange,
  type MerchantSettings,
  type MerchantStatus,
  merchantStatuses,
  type NewMerchant,
  type ShortfallPolicy,
  shortfallPolicies,
} from "./merchant.ts";
export { type CredentialKey, createMerchants, type Merchants, type MerchantsOptions } from "./merchants.ts";
export type { ApiSecrets, KeptSecretKey, MerchantsDeps, SecretKeeper, WebhookSecretKeeper } from "./ports.ts";
export {
  type NewRecharge,
  type RechargeCurrency,
  type RechargeFilter,
  type RechargeOrder,
  type RechargeStatus,
  type Reserve,
  rechargeCurrencies,
  rechargeStatuses,
} from "./recharge.ts";
export { referenceCharactersMax } from "./recharges.ts";
export type {
  ClientCertificateRefusal,
  CredentialRefusal,
  MerchantRefusal,
  RechargeRefusal,
  SettingsRefusal,
  WebhookSecretRefusal,
} from "./refusals.ts";
export { type ZeroPolicyKind, zeroPolicyKinds } from "./reserve/book-store.ts";
export { dayAt, dayText, parseDay } from "./reserve/day.ts";
export type { ReserveOutlook } from "./reserve/forecast.ts";
export {
  type AdjustmentCategory,
  type AdjustmentDirection,
  adjustmentCategories,
  adjustmentDirections,
  type NewAdjustment,
  type NewWithdrawal,
  type ReserveOrder,
  type ReserveOrderKind,
  type ReserveOrderRefusal,
  type ReserveOrderStatus,
  reserveOrderKinds,
  reserveOrderStatuses,
} from "./reserve/order.ts";
export { createReserves, type Reserves } from "./reserve/reserves.ts";
export {
  type LineSums,
  type ReserveBalance,
  type ReserveStatement,
  type StatementLine,
  statementLines,
} from "./reserve/statement.ts";
export { statementRules } from "./reserve/statement-store.ts";
export type { ReserveSettings, ReserveSettingsChange, ReserveSettingsRefusal } from "./reserve/watch.ts";
export {
  callbackUrlCharactersMax,
  cardFrameOriginsMax,
  nameCharactersMax,
  oneLine,
  originCharactersMax,
  utcOffsetMinutesMax,
  utcOffsetMinutesMin,
} from "./settings.ts";
export { callbackTargetChannel } from "./target-change.ts";
export type { NewWebhookSecret, WebhookRotation, WebhookSecret, WebhookSecrets } from "./webhook-secret.ts";
