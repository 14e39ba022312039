import { randomBytes } from "node:crypto";
import type { SecretKind } from "./secret-store.ts";

/** A new webhook secret as Standard Webhooks writes them: `whsec_` and the Base64 of 32 random bytes. */
export function createWebhookSecret(): string {
  return `whsec_${randomBytes(32).toString("base64")}`;
}

export const webhookSecrets: SecretKind = {
  table: "webhook_secret",
  family: "webhook",
  isWellFormed: (secret) => /^whsec_[A-Za-z0-9+/]{43}=$/u.test(secret),
  wrongForm: "a webhook secret has the wrong form",
};

/** The private key of a client certificate as PKCS #8 in PEM; one of RSA with 4,096 bits has 3.2 KB, an envelope holds 4 KiB. */
export const clientKeys: SecretKind = {
  table: "client_key",
  family: "client_key",
  isWellFormed: (pem) =>
    /^-----BEGIN PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{1,4000}-----END PRIVATE KEY-----\n$/u.test(pem),
  wrongForm: "a client key has the wrong form",
};
