/** Merchants, their credentials with allow-lists, their settings and their reserve. */
export { allowListEntriesMax, allowListEntryCharactersMax, ipAllowed } from "./allow-list.ts";
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
} from "./merchant.ts";
export { type CredentialKey, createMerchants, type Merchants } from "./merchants.ts";
export type { ApiSecretKey, ApiSecrets, MerchantsDeps } from "./ports.ts";
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
export type { CredentialRefusal, MerchantRefusal, RechargeRefusal, SettingsRefusal } from "./refusals.ts";
export {
  callbackUrlCharactersMax,
  cardFrameOriginsMax,
  nameCharactersMax,
  oneLine,
  originCharactersMax,
  utcOffsetMinutesMax,
  utcOffsetMinutesMin,
} from "./settings.ts";
