import { type AuditDetail, appendAudit, changeDetail, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { ok, type Result, refused, uuid7 } from "#kernel/index.ts";
import { parseAllowList } from "./allow-list.ts";
import { apiKeyHash, apiKeyHint, newApiKey } from "./api-key.ts";
import type { Credential, CredentialChange, NewCredential } from "./credential.ts";
import type { MerchantsDeps } from "./ports.ts";
import type { CredentialRefusal } from "./refusals.ts";
import { isOneLine } from "./settings.ts";
import {
  clearPrimary,
  insertCredential,
  lockMerchant,
  selectCredential,
  selectCredentials,
  selectMerchant,
  updateCredentialRow,
} from "./store.ts";
import { tellTargetChange } from "./target-change.ts";
import { selectWebhookSecrets } from "./webhook-secret-store.ts";
import { insertFirstWebhookSecret, storeWebhookSecret } from "./webhook-secrets.ts";

export const labelCharactersMax = 64;
/** Two per application and environment are usual; more than this is a mistake. */
export const credentialsMax = 20;
/** The last moment that a JavaScript date can name, so that every expiry can be shown. */
export const expiryMsMax = 8_640_000_000_000_000;

interface CredentialKey {
  readonly merchantId: number;
  readonly credentialId: string;
}

export interface CredentialRequest {
  readonly merchantId: number;
  readonly label?: string;
  readonly allowList?: readonly string[];
  readonly expiresAt?: number | null;
}

/**
 * Makes an Api-Key and its secret; both are in the answer and can never be read again. The first credential becomes primary.
 *
 * The secret goes into the vault before the credential exists: if the process dies in between, a secret is left over that
 * nothing can name. The other way round a credential would be left that cannot sign. A merchant that has no webhook secret yet gets
 * one in the same way.
 */
export async function createCredential(
  deps: MerchantsDeps,
  input: CredentialRequest,
  by: Initiator,
): Promise<Result<NewCredential, CredentialRefusal>> {
  const { merchantId, label = "", expiresAt = null } = input;
  const allowList = parseAllowList(input.allowList ?? []);
  if (!allowList.ok) return allowList;
  const wrong = checkDetails({ label, expiresAt });
  if (wrong !== null) return refused(wrong);
  if ((await selectMerchant(deps.pool, merchantId)) === null) return refused("merchant_unknown");

  const now = deps.clock.now();
  const credentialId = uuid7(now);
  const apiKey = newApiKey();
  const apiSecret = deps.secrets.create();
  const stored = await deps.secrets.store({ merchantId, secretId: credentialId, secret: apiSecret });
  if (!stored.ok) throw new Error("a new credential's id names a secret already");

  const hasWebhookSecret = (await selectWebhookSecrets(deps.pool, merchantId)).length > 0;
  const webhook = hasWebhookSecret ? null : await storeWebhookSecret(deps, merchantId);

  type Made = Pick<NewCredential, "credential" | "webhookSecret">;
  const outcome = await inTransaction(deps.pool, async (tx): Promise<Result<Made, CredentialRefusal>> => {
    const merchant = await lockMerchant(tx, merchantId);
    if (merchant === null) return refused("merchant_unknown");
    if (merchant.status === "Closed") return refused("merchant_closed");
    const others = await selectCredentials(tx, merchantId);
    if (others.length >= credentialsMax) return refused("credentials_too_many");
    const credential: Credential = {
      merchantId,
      credentialId,
      label,
      apiKeyHint: apiKeyHint(apiKey),
      status: "Enabled",
      isPrimary: !others.some((other) => other.isPrimary),
      generation: 1,
      allowList: allowList.value,
      expiresAt,
      createdAt: now,
    };
    await insertCredential(tx, { ...credential, apiKeyHash: apiKeyHash(apiKey) });
    const detail = { api_key_hint: credential.apiKeyHint, ...credentialDetail(credential) };
    await audit(deps, tx, { ...by, credential, action: "credential.create", detail });
    const isFirst = webhook !== null && (await insertFirstWebhookSecret(deps, tx, { stored: webhook, by }));
    if (credential.isPrimary || isFirst) await tellTargetChange(tx, merchantId);
    return ok({ credential, webhookSecret: isFirst ? webhook.secret : null });
  });
  const webhookSecret = outcome.ok ? outcome.value.webhookSecret : null;
  if (webhook !== null && webhookSecret === null) await deps.webhookSecrets.delete(webhook);
  if (outcome.ok) return ok({ ...outcome.value, apiKey, apiSecret });
  await deps.secrets.delete({ merchantId, secretId: credentialId });
  return outcome;
}

/**
 * Changes label, expiry and status. Disabling ends the Access-Tokens that were issued, for ever. A disabled primary credential
 * goes on signing callbacks, because stopping them is not what disabling a key is for.
 */
export async function updateCredential(
  deps: MerchantsDeps,
  input: CredentialKey & { readonly change: CredentialChange },
  by: Initiator,
): Promise<Result<Credential, CredentialRefusal>> {
  const wrong = checkDetails(input.change);
  if (wrong !== null) return refused(wrong);
  return changeCredential(deps, { ...input, action: "credential.update", by }, async (before) => {
    const isDisabled = before.status === "Enabled" && input.change.status === "Disabled";
    return ok({ ...before, ...input.change, generation: before.generation + (isDisabled ? 1 : 0) });
  });
}

/** Replaces the whole list; entries come back in their canonical form. */
export async function setAllowList(
  deps: MerchantsDeps,
  input: CredentialKey & { readonly allowList: readonly string[] },
  by: Initiator,
): Promise<Result<Credential, CredentialRefusal>> {
  const allowList = parseAllowList(input.allowList);
  if (!allowList.ok) return allowList;
  return changeCredential(deps, { ...input, action: "credential.set_allow_list", by }, async (before) =>
    ok({ ...before, allowList: allowList.value }),
  );
}

/** From the next callback on this credential's secret signs (contract section 6). A disabled one cannot be made primary. */
export async function setPrimary(
  deps: MerchantsDeps,
  input: CredentialKey,
  by: Initiator,
): Promise<Result<Credential, CredentialRefusal>> {
  return changeCredential(deps, { ...input, action: "credential.set_primary", by }, async (before, tx) => {
    if (before.status !== "Enabled") return refused("credential_disabled");
    if (!before.isPrimary) await clearPrimary(tx, input.merchantId);
    await tellTargetChange(tx, input.merchantId);
    return ok({ ...before, isPrimary: true });
  });
}

/**
 * Ends the key and its tokens at once and erases the secret. The primary one cannot be deleted. Deleting again is a success
 * and erases again, which makes good for a process that died between the two steps.
 */
export async function deleteCredential(
  deps: MerchantsDeps,
  input: CredentialKey,
  by: Initiator,
): Promise<Result<null, CredentialRefusal>> {
  const { merchantId, credentialId } = input;
  const outcome = await inTransaction(deps.pool, async (tx): Promise<Result<null, CredentialRefusal>> => {
    if ((await lockMerchant(tx, merchantId)) === null) return refused("merchant_unknown");
    const before = await selectCredential(tx, input);
    if (before === null) return refused("credential_unknown");
    if (before.status === "Deleted") return ok(null);
    if (before.isPrimary) return refused("credential_is_primary");
    const after: Credential = { ...before, status: "Deleted", generation: before.generation + 1 };
    await updateCredentialRow(tx, after);
    await audit(deps, tx, { ...by, credential: after, action: "credential.delete", detail: {} });
    return ok(null);
  });
  if (outcome.ok) await deps.secrets.delete({ merchantId, secretId: credentialId });
  return outcome;
}

type Change = (before: Credential, tx: Sql) => Promise<Result<Credential, CredentialRefusal>>;

async function changeCredential(
  deps: MerchantsDeps,
  input: CredentialKey & { readonly action: string; readonly by: Initiator },
  change: Change,
): Promise<Result<Credential, CredentialRefusal>> {
  return inTransaction(deps.pool, async (tx) => {
    const merchant = await lockMerchant(tx, input.merchantId);
    if (merchant === null) return refused("merchant_unknown");
    if (merchant.status === "Closed") return refused("merchant_closed");
    const before = await selectCredential(tx, input);
    if (before === null || before.status === "Deleted") return refused("credential_unknown");
    const changed = await change(before, tx);
    if (!changed.ok) return changed;
    const credential = changed.value;
    const detail = changeDetail({ before: credentialDetail(before), after: credentialDetail(credential) });
    if (detail === null) return ok(credential);
    await updateCredentialRow(tx, credential);
    await audit(deps, tx, { ...input.by, credential, action: input.action, detail });
    return ok(credential);
  });
}

function checkDetails(details: {
  readonly label?: string;
  readonly expiresAt?: number | null;
}): CredentialRefusal | null {
  const { label = "", expiresAt = null } = details;
  if (label !== "" && !isOneLine(label, labelCharactersMax)) return "label_invalid";
  const expiryFits = expiresAt === null || (Number.isInteger(expiresAt) && expiresAt > 0 && expiresAt <= expiryMsMax);
  return expiryFits ? null : "expiry_invalid";
}

function credentialDetail(credential: Credential): AuditDetail {
  return {
    label: credential.label,
    status: credential.status,
    is_primary: credential.isPrimary,
    generation: credential.generation,
    allow_list: credential.allowList,
    expires_at: credential.expiresAt,
  };
}

async function audit(
  deps: MerchantsDeps,
  tx: Sql,
  done: Initiator & { readonly credential: Credential; readonly action: string; readonly detail: AuditDetail },
): Promise<void> {
  const { credential, ...entry } = done;
  const { merchantId, credentialId: subject } = credential;
  await appendAudit(tx, { ...entry, merchantId, subject, at: deps.clock.now() });
}
