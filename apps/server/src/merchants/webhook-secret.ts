import type { Initiator } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import type { WebhookSecretRefusal } from "./refusals.ts";

/** A secret that signs a merchant's callbacks by Standard Webhooks, without its value. Times are the machine's, in Unix ms. */
export interface WebhookSecret {
  readonly secretId: string;
  readonly createdAtMs: number;
  /** Null: the current one. */
  readonly expiresAtMs: number | null;
}

export interface NewWebhookSecret {
  readonly secretId: string;
  /** `whsec_` and the Base64 of 32 bytes. Shown once: it can never be read again. */
  readonly secret: string;
  /** How long the secret before it signs beside it; null when there was none. */
  readonly previousExpiresAtMs: number | null;
}

export interface WebhookRotation {
  readonly merchantId: number;
  /** How long the previous secret goes on signing beside the new one: 0 to 7 days of the machine's time. */
  readonly overlapMs: number;
  readonly by: Initiator;
}

export interface WebhookSecrets {
  /** Those that sign now: the current one, then the one before it while it has not expired. */
  list(merchantId: number): Promise<WebhookSecret[]>;
  /**
   * Makes a new current secret. The previous one expires after the overlap; if two were valid, the older of them ends at once. In
   * force in every process within 5 s.
   */
  rotate(rotation: WebhookRotation): Promise<Result<NewWebhookSecret, WebhookSecretRefusal>>;
  /** One round of the worker: erases at most 100 expired ones from the vault. Answers how many. */
  eraseExpired(): Promise<number>;
}
