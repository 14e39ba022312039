import type { Rate } from "@cardwright/money";
import type { Initiator } from "#audit/index.ts";
import type { Sql } from "#database/index.ts";
import { type Clock, type Result, systemClock } from "#kernel/index.ts";
import { apiKeyHash } from "./api-key.ts";
import type { ClientCertificates } from "./client-certificate.ts";
import {
  eraseEndedClientKeys,
  findClientCertificate,
  removeClientCertificate,
  setClientCertificate,
  warnOfExpiringCertificates,
} from "./client-certificates.ts";
import type { CallbackTarget, Caller, Credential, CredentialChange, NewCredential } from "./credential.ts";
import {
  type CredentialRequest,
  createCredential,
  deleteCredential,
  setAllowList,
  setPrimary,
  updateCredential,
} from "./credentials.ts";
import { createMerchant, replaceCallbackUrl, updateMerchant } from "./enrol.ts";
import type { Merchant, MerchantChange, NewMerchant } from "./merchant.ts";
import type { MerchantsDeps } from "./ports.ts";
import type { NewRecharge, RechargeFilter, RechargeOrder, Reserve } from "./recharge.ts";
import { confirmRecharge, createRecharge, rejectRecharge, reserveOf } from "./recharges.ts";
import type { CredentialRefusal, MerchantRefusal, RechargeRefusal, SettingsRefusal } from "./refusals.ts";
import {
  selectCallbackTarget,
  selectCaller,
  selectCredentials,
  selectIdsOf,
  selectMerchant,
  selectMerchantByNo,
  selectMerchants,
  selectNumbersOf,
  selectRecharges,
} from "./store.ts";
import type { WebhookSecrets } from "./webhook-secret.ts";
import { eraseExpiredWebhookSecrets, rotateWebhookSecret, validWebhookSecrets } from "./webhook-secrets.ts";

export interface CredentialKey {
  readonly merchantId: number;
  readonly credentialId: string;
}

/**
 * Merchants, their credentials and their reserve. Every change is written into the audit in its own transaction, in the name
 * of `by`. Pages count from zero; their size is the caller's to bound.
 */
export interface Merchants {
  create(input: NewMerchant, by: Initiator): Promise<Result<Merchant, SettingsRefusal>>;
  update(
    input: { readonly merchantId: number; readonly change: MerchantChange },
    by: Initiator,
  ): Promise<Result<Merchant, MerchantRefusal>>;
  /** Changes the callback URL in the caller's transaction, given the present one; answers what it was and what it is. */
  replaceCallbackUrl(
    tx: Sql,
    input: { readonly merchantId: number; readonly next: (present: string) => string; readonly by: Initiator },
  ): Promise<Result<{ readonly before: string; readonly after: string }, MerchantRefusal>>;
  find(merchantNo: string): Promise<Merchant | null>;
  get(merchantId: number): Promise<Merchant | null>;
  /** Newest first. */
  list(page: { readonly page: number; readonly size: number }): Promise<Merchant[]>;
  /** Numbers that do not exist are left out. */
  idsOf(merchantNos: readonly string[]): Promise<Map<string, number>>;
  numbersOf(merchantIds: readonly number[]): Promise<Map<number, string>>;

  createCredential(input: CredentialRequest, by: Initiator): Promise<Result<NewCredential, CredentialRefusal>>;
  updateCredential(
    input: CredentialKey & { readonly change: CredentialChange },
    by: Initiator,
  ): Promise<Result<Credential, CredentialRefusal>>;
  setAllowList(
    input: CredentialKey & { readonly allowList: readonly string[] },
    by: Initiator,
  ): Promise<Result<Credential, CredentialRefusal>>;
  setPrimary(input: CredentialKey, by: Initiator): Promise<Result<Credential, CredentialRefusal>>;
  deleteCredential(input: CredentialKey, by: Initiator): Promise<Result<null, CredentialRefusal>>;
  /** Oldest first, without the deleted ones. */
  listCredentials(merchantId: number): Promise<Credential[]>;

  /** Who is behind an Api-Key (contract section 1, 1008): one statement; null for a key that is unknown or deleted. */
  authenticate(apiKey: string): Promise<Caller | null>;
  /** Null without a callback URL or without any credential to sign with. One statement. */
  callbackTarget(merchantId: number): Promise<CallbackTarget | null>;

  /** What signs callbacks beside the primary credential's secret (Standard Webhooks). */
  readonly webhookSecrets: WebhookSecrets;
  /** What we show a merchant's server that wants to know who calls. */
  readonly clientCertificates: ClientCertificates;

  createRecharge(input: NewRecharge, by: Initiator): Promise<Result<RechargeOrder, RechargeRefusal>>;
  confirmRecharge(
    input: { readonly rechargeNo: string },
    by: Initiator,
  ): Promise<Result<RechargeOrder, RechargeRefusal>>;
  rejectRecharge(
    input: { readonly rechargeNo: string },
    by: Initiator,
  ): Promise<Result<RechargeOrder, RechargeRefusal>>;
  /** Newest first. */
  listRecharges(filter: RechargeFilter): Promise<RechargeOrder[]>;
  reserveOf(merchantId: number): Promise<Reserve | null>;
  /** How many times its reserve the credit of a merchant may come to, by its credit policy; null: no bound. In the caller's transaction. */
  creditBoundOf(sql: Sql, merchantId: number): Promise<Rate | null>;
}

export interface MerchantsOptions extends Omit<MerchantsDeps, "transportClock"> {
  /** The machine's clock when absent. */
  readonly transportClock?: Clock;
}

export function createMerchants(options: MerchantsOptions): Merchants {
  const deps: MerchantsDeps = { ...options, transportClock: options.transportClock ?? systemClock };
  return {
    create: (input, by) => createMerchant(deps, input, by),
    update: (input, by) => updateMerchant(deps, input, by),
    replaceCallbackUrl: (tx, input) => replaceCallbackUrl(deps, tx, input),
    find: (merchantNo) => selectMerchantByNo(deps.pool, merchantNo),
    get: (merchantId) => selectMerchant(deps.pool, merchantId),
    list: (page) => selectMerchants(deps.pool, page),
    idsOf: (merchantNos) => selectIdsOf(deps.pool, merchantNos),
    numbersOf: (merchantIds) => selectNumbersOf(deps.pool, merchantIds),
    createCredential: (input, by) => createCredential(deps, input, by),
    updateCredential: (input, by) => updateCredential(deps, input, by),
    setAllowList: (input, by) => setAllowList(deps, input, by),
    setPrimary: (input, by) => setPrimary(deps, input, by),
    deleteCredential: (input, by) => deleteCredential(deps, input, by),
    listCredentials: (merchantId) => selectCredentials(deps.pool, merchantId),
    authenticate: (apiKey) => selectCaller(deps.pool, apiKeyHash(apiKey)),
    callbackTarget: (merchantId) => selectCallbackTarget(deps.pool, { merchantId, nowMs: deps.transportClock.now() }),
    webhookSecrets: {
      list: (merchantId) => validWebhookSecrets(deps, merchantId),
      rotate: (rotation) => rotateWebhookSecret(deps, rotation),
      eraseExpired: () => eraseExpiredWebhookSecrets(deps),
    },
    clientCertificates: {
      find: (merchantId) => findClientCertificate(deps, merchantId),
      set: (input, by) => setClientCertificate(deps, input, by),
      remove: (input, by) => removeClientCertificate(deps, input, by),
      eraseEnded: () => eraseEndedClientKeys(deps),
      warnOfExpiring: () => warnOfExpiringCertificates(deps),
    },
    createRecharge: (input, by) => createRecharge(deps, input, by),
    confirmRecharge: (input, by) => confirmRecharge(deps, input, by),
    rejectRecharge: (input, by) => rejectRecharge(deps, input, by),
    listRecharges: (filter) => selectRecharges(deps.pool, filter),
    reserveOf: (merchantId) => reserveOf(deps, merchantId),
    creditBoundOf: async (sql, merchantId) => {
      const policy = (await selectMerchant(sql, merchantId))?.creditPolicy ?? null;
      if (policy === null || policy.kind === "none") return null;
      return policy.kind === "ratio" ? policy.ratio : { units: 1n, scale: 0 };
    },
  };
}
