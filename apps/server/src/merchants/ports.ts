import type { Pool } from "pg";
import type { Clock, Result } from "#kernel/index.ts";

/** Where secrets of one kind live: the vault. Nothing else of the vault is needed here. */
export interface SecretKeeper {
  store(secret: KeptSecretKey & { readonly secret: string }): Promise<Result<null, "secret_id_used">>;
  /** Erases it for ever; erasing what is not there is a success. */
  delete(secret: KeptSecretKey): Promise<void>;
}

export interface ApiSecrets extends SecretKeeper {
  /** A new secret, 32 characters of `[A-Za-z0-9]`. */
  create(): string;
}

export interface WebhookSecretKeeper extends SecretKeeper {
  /** A new secret, `whsec_` and the Base64 of 32 bytes. */
  create(): string;
}

export interface KeptSecretKey {
  readonly merchantId: number;
  /** The id of the credential, the webhook secret or the certificate. */
  readonly secretId: string;
}

export interface MerchantsDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  /** The machine's time: of webhook secrets and certificates, whose receiver compares them with its own clock. */
  readonly transportClock: Clock;
  readonly secrets: ApiSecrets;
  readonly webhookSecrets: WebhookSecretKeeper;
  /** Private keys of client certificates, PKCS #8 in PEM. */
  readonly clientKeys: SecretKeeper;
  /** Production: callback URLs and card-frame origins must be https. */
  readonly requireHttps: boolean;
}
