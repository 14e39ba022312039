import { appendAudit, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { ok, type Result, refused, uuid7 } from "#kernel/index.ts";
import { callbackSecrets as bounds } from "../limits.ts";
import type { MerchantsDeps } from "./ports.ts";
import type { WebhookSecretRefusal } from "./refusals.ts";
import { lockMerchant, selectMerchant } from "./store.ts";
import { tellTargetChange } from "./target-change.ts";
import type { NewWebhookSecret, WebhookRotation, WebhookSecret } from "./webhook-secret.ts";
import {
  deleteWebhookSecretRow,
  endWebhookSecrets,
  insertWebhookSecret,
  selectExpiredWebhookSecrets,
  selectWebhookSecrets,
} from "./webhook-secret-store.ts";

/** A secret that is in the vault and that no row names yet. */
export interface StoredWebhookSecret {
  readonly merchantId: number;
  readonly secretId: string;
  readonly secret: string;
}

/** Those that are valid at this moment of the machine's clock. */
export async function validWebhookSecrets(deps: MerchantsDeps, merchantId: number): Promise<WebhookSecret[]> {
  const now = deps.transportClock.now();
  const secrets = await selectWebhookSecrets(deps.pool, merchantId);
  return secrets.filter(({ expiresAtMs }) => expiresAtMs === null || expiresAtMs > now);
}

/**
 * Like a credential's, the secret goes into the vault before its row exists: if the process dies in between, a secret is left over
 * that signs nothing. The other way round the merchant's callbacks would have to be signed with what is not there.
 */
export async function storeWebhookSecret(deps: MerchantsDeps, merchantId: number): Promise<StoredWebhookSecret> {
  // An id of business time, as all others are: with two clocks in turn ids would not count up within a millisecond.
  const stored = { merchantId, secretId: uuid7(deps.clock.now()), secret: deps.webhookSecrets.create() };
  const outcome = await deps.webhookSecrets.store(stored);
  if (!outcome.ok) throw new Error("a new webhook secret's id names a secret already");
  return stored;
}

/** Under the merchant's lock. False when the merchant has a current secret already, and nothing was written. */
export async function insertFirstWebhookSecret(
  deps: MerchantsDeps,
  tx: Sql,
  { stored, by }: { readonly stored: StoredWebhookSecret; readonly by: Initiator },
): Promise<boolean> {
  const { merchantId, secretId: subject } = stored;
  const others = await selectWebhookSecrets(tx, merchantId);
  if (others.some(({ expiresAtMs }) => expiresAtMs === null)) return false;
  await insertWebhookSecret(tx, { ...stored, nowMs: deps.transportClock.now() });
  const at = deps.clock.now();
  await appendAudit(tx, { ...by, merchantId, action: "webhook_secret.create", subject, detail: {}, at });
  return true;
}

export async function rotateWebhookSecret(
  deps: MerchantsDeps,
  { merchantId, overlapMs, by }: WebhookRotation,
): Promise<Result<NewWebhookSecret, WebhookSecretRefusal>> {
  const overlapFits = Number.isInteger(overlapMs) && overlapMs >= 0 && overlapMs <= bounds.overlapMsMax;
  if (!overlapFits) return refused("overlap_invalid");
  if ((await selectMerchant(deps.pool, merchantId)) === null) return refused("merchant_unknown");
  const stored = await storeWebhookSecret(deps, merchantId);
  const outcome = await inTransaction(deps.pool, (tx) => replaceCurrent(deps, tx, { stored, overlapMs, by }));
  if (!outcome.ok) await deps.webhookSecrets.delete(stored);
  return outcome;
}

async function replaceCurrent(
  deps: MerchantsDeps,
  tx: Sql,
  rotation: { readonly stored: StoredWebhookSecret; readonly overlapMs: number; readonly by: Initiator },
): Promise<Result<NewWebhookSecret, WebhookSecretRefusal>> {
  const { stored, overlapMs, by } = rotation;
  const { merchantId, secretId, secret } = stored;
  const merchant = await lockMerchant(tx, merchantId);
  if (merchant === null) return refused("merchant_unknown");
  if (merchant.status === "Closed") return refused("merchant_closed");
  const others = await selectWebhookSecrets(tx, merchantId);
  if (others.length >= bounds.webhookSecretsMax) return refused("webhook_secrets_too_many");
  const nowMs = deps.transportClock.now();
  const previous = others.find(({ expiresAtMs }) => expiresAtMs === null);
  const previousExpiresAtMs = previous === undefined ? null : nowMs + overlapMs;
  await endWebhookSecrets(tx, { merchantId, nowMs, currentEndsAtMs: nowMs + overlapMs });
  await insertWebhookSecret(tx, { merchantId, secretId, nowMs });
  await tellTargetChange(tx, merchantId);
  await appendAudit(tx, {
    ...by,
    merchantId,
    action: "webhook_secret.rotate",
    subject: secretId,
    detail: { previous: previous?.secretId ?? "", previous_expires_at: previousExpiresAtMs },
    at: deps.clock.now(),
  });
  return ok({ secretId, secret, previousExpiresAtMs });
}

/** The vault first: who dies in between finds the row again and erases once more, which changes nothing. */
export async function eraseExpiredWebhookSecrets(deps: MerchantsDeps): Promise<number> {
  const expired = await selectExpiredWebhookSecrets(deps.pool, {
    nowMs: deps.transportClock.now(),
    limit: bounds.eraseBatchMax,
  });
  for (const key of expired) {
    await deps.webhookSecrets.delete(key);
    await deleteWebhookSecretRow(deps.pool, key);
  }
  return expired.length;
}
