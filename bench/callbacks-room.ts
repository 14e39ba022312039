import type { Pool } from "pg";
import { type Callbacks, createCallbacks } from "../apps/server/src/callbacks/index.ts";
import { systemClock } from "../apps/server/src/kernel/index.ts";

export const appId = "bench-app";
/** Signs what a merchant of these benchmarks receives; nobody verifies it. */
export const apiSecret = "bench-api-secret-of-32-characters";

/** Every merchant has one, so a callback has both signatures. */
export const webhookSecret = `whsec_${Buffer.from("bench-webhook-secret-of-32-bytes").toString("base64")}`;

export interface RoomOptions {
  readonly urlOf: (merchantId: number) => string;
  /** As the room's own option of that name. */
  readonly questionFailuresMax?: number;
}

/** The callbacks room on a pool, as `compose.ts` wires it. `errors`: what it has logged, each text once. */
export function openCallbacks(
  pool: Pool,
  { urlOf, ...options }: RoomOptions,
): { readonly callbacks: Callbacks; readonly errors: ReadonlySet<string> } {
  const errors = new Set<string>();
  const log = (fields: object, message: string): void => void errors.add(`${message} ${JSON.stringify(fields)}`);
  const callbacks = createCallbacks({
    pool,
    clock: systemClock,
    ...options,
    log: { warn: log, error: log },
    allowPrivateAddresses: true,
    target: (merchantId) => ({ url: urlOf(merchantId), appId, apiSecret, webhookSecrets: [webhookSecret] }),
  });
  return { callbacks, errors };
}
