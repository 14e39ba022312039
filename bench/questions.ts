import type { Pool } from "pg";
import type { AskMerchant } from "../apps/server/src/authorization/index.ts";
import { type Callbacks, createCallbacks } from "../apps/server/src/callbacks/index.ts";
import { systemClock } from "../apps/server/src/kernel/index.ts";

export const appId = "bench-app";
/** Signs what a merchant of these benchmarks receives; nobody verifies it. */
export const apiSecret = "bench-api-secret-of-32-characters";

/** The platform's questions on a pool, as `compose.ts` wires them; the delivery of pushes is another process's work. */
export function createQuestions(
  pool: Pool,
  urlOf: (merchantId: number) => string,
): { readonly callbacks: Callbacks; readonly ask: AskMerchant } {
  const callbacks = createCallbacks({
    pool,
    clock: systemClock,
    log: { warn: () => {}, error: () => {} },
    allowPrivateAddresses: true,
    target: (merchantId) => ({ url: urlOf(merchantId), appId, apiSecret }),
  });
  return {
    callbacks,
    ask: async ({ merchantId, consumeNo, data }) => {
      const { outcome } = await callbacks.askMerchant({ merchantId, consumeNo, dataText: data });
      return outcome;
    },
  };
}
