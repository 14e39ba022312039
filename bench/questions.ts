import type { Pool } from "pg";
import type { QuestionPort } from "../apps/server/src/authorization/index.ts";
import type { Callbacks } from "../apps/server/src/callbacks/index.ts";
import { openCallbacks, type RoomOptions } from "./callbacks-room.ts";

/** The platform's questions on a pool, as `compose.ts` wires them; the delivery of pushes is another process's work. */
export function createQuestions(
  pool: Pool,
  options: RoomOptions,
): { readonly callbacks: Callbacks; readonly questionPort: QuestionPort } {
  const { callbacks } = openCallbacks(pool, options);
  return {
    callbacks,
    questionPort: {
      ask: async ({ merchantId, consumeNo, data }) => {
        const { outcome } = await callbacks.askMerchant({ merchantId, consumeNo, dataText: data });
        return outcome;
      },
      isFailing: (merchantId) => callbacks.questions.isFailing(merchantId),
    },
  };
}
