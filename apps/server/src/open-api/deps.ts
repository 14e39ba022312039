import type { CallbackEndpoints, CallbackHistory } from "#callbacks/index.ts";
import type { Cardholders } from "#cardholders/index.ts";
import type { Cards } from "#cards/index.ts";
import type { Credit } from "#credit/index.ts";
import type { Sql } from "#database/index.ts";
import type { Clock } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import type { Products } from "#products/index.ts";
import type { Vault } from "#vault/index.ts";
import type { OpenApiLimits } from "./limits.ts";

/** Where unexpected failures are told; pino fits. */
export interface OpenApiLog {
  error(fields: object, message: string): void;
}

export interface OpenApiDeps {
  /** For consumptions, which are read only. */
  readonly pool: Sql;
  /** The machine's time: it is compared with the caller's. */
  readonly clock: Clock;
  readonly log: OpenApiLog;
  /** True while the process finishes what is in flight: new calls are answered with 503. */
  readonly isStopping: () => boolean;
  /** Scheme and host under which merchants reach this API, without a slash at the end: for the reference. */
  readonly publicUrl: string;
  readonly environment: "sandbox" | "production";
  /** Business time, which the sandbox can move. */
  readonly businessClock: Clock;
  readonly merchants: Pick<Merchants, "authenticate" | "update" | "webhookSecrets">;
  readonly callbacks: {
    readonly history: Pick<
      CallbackHistory,
      "list" | "find" | "attemptsOf" | "resendMany" | "resendSince" | "resendMissed"
    >;
    readonly endpoints: CallbackEndpoints;
  };
  readonly vault: Pick<Vault, "tokenKey">;
  readonly cardholders: Pick<Cardholders, "apply" | "list" | "find">;
  readonly cards: Pick<
    Cards,
    | "apply"
    | "find"
    | "list"
    | "ofCardholder"
    | "activate"
    | "requestStatus"
    | "setPin"
    | "privateInfo"
    | "createClientToken"
  >;
  readonly credit: Pick<Credit, "transfer" | "listTransfers" | "accountsOf">;
  readonly products: Pick<Products, "listPackages" | "listBins" | "findPackage" | "terms">;
  readonly limits?: Partial<OpenApiLimits>;
  /** ISO 3166-1 alpha-2 codes of countries that cards are not sent to or billed in; a default list when absent. */
  readonly unsupportedCountries?: readonly string[];
}
