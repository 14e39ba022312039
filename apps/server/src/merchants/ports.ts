import type { Pool } from "pg";
import type { Clock, Result } from "#kernel/index.ts";

/** Where API secrets live: the vault. Nothing else of the vault is needed here. */
export interface ApiSecrets {
  /** A new secret, 32 characters of `[A-Za-z0-9]`. */
  create(): string;
  store(secret: ApiSecretKey & { readonly secret: string }): Promise<Result<null, "secret_id_used">>;
  /** Erases it for ever; erasing what is not there is a success. */
  delete(secret: ApiSecretKey): Promise<void>;
}

export interface ApiSecretKey {
  readonly merchantId: number;
  /** The credential's id. */
  readonly secretId: string;
}

export interface MerchantsDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly secrets: ApiSecrets;
  /** Production: callback URLs and card-frame origins must be https. */
  readonly requireHttps: boolean;
}
