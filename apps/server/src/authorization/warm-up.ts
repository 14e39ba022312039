import type { Pool } from "pg";
import type { Clock } from "#kernel/index.ts";
import { callConclude, callDecide } from "./store.ts";

/** Takes every connection that the pool may have, so that none is met twice, and runs both statements on no items in each. */
export async function warmUp({ pool, clock }: { readonly pool: Pool; readonly clock: Clock }): Promise<void> {
  const opening = Array.from({ length: pool.options.max }, () => pool.connect());
  const opened = await Promise.allSettled(opening);
  try {
    await Promise.all(
      opened.map(async (connection) => {
        if (connection.status === "fulfilled") {
          await callDecide(connection.value, []);
          await callConclude(connection.value, { items: [], stage: "asking", voidKind: "void", at: clock.now() });
        }
      }),
    );
  } finally {
    for (const connection of opened) {
      if (connection.status === "fulfilled") {
        connection.value.release();
      }
    }
  }
}
