import type { Merchant } from "./merchant.ts";

/** A `Deleted` one is kept as a row for the audit and found by nothing else. */
export type CredentialStatus = "Enabled" | "Disabled" | "Deleted";

/** An Api-Key of a merchant, without the key and without its secret. */
export interface Credential {
  readonly merchantId: number;
  readonly credentialId: string;
  readonly label: string;
  /** First and last characters of the key, for people. */
  readonly apiKeyHint: string;
  readonly status: CredentialStatus;
  /** Its secret signs the merchant's callbacks. A disabled primary one goes on signing until another is made primary. */
  readonly isPrimary: boolean;
  /** Goes up when the credential is disabled; an Access-Token of an earlier generation is dead. */
  readonly generation: number;
  /** Canonical addresses and CIDR ranges; empty: nobody. */
  readonly allowList: readonly string[];
  /** Unix ms; null: never. */
  readonly expiresAt: number | null;
  readonly createdAt: number;
}

/** The texts that are shown once, when the credential is made. */
export interface NewCredential {
  readonly credential: Credential;
  readonly apiKey: string;
  readonly apiSecret: string;
  /** The merchant's webhook secret, made with its first credential; null with every later one. */
  readonly webhookSecret: string | null;
}

/** Who is behind an Api-Key, with everything that the checks of contract section 1 need. */
export interface Caller {
  readonly merchant: Merchant;
  readonly credential: Credential;
}

export interface CredentialChange {
  readonly label?: string;
  readonly status?: "Enabled" | "Disabled";
  /** Unix ms; null takes the expiry away. A time that is past ends the credential at once. */
  readonly expiresAt?: number | null;
}

/** Where a merchant's callbacks go and what signs and secures them; the secrets themselves are in the vault. */
export interface CallbackTarget {
  readonly url: string;
  readonly appId: string;
  readonly primaryCredentialId: string;
  /** The current one first, then the one before it while it has not expired. */
  readonly webhookSecretIds: readonly string[];
  readonly clientCertificate: { readonly certificateId: string; readonly certificatePem: string } | null;
}
