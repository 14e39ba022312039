import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import { inTransaction } from "#database/index.ts";
import type { Clock, ScheduledWork } from "#kernel/index.ts";
import type { Delivery } from "./delivery.ts";
import { isBeingTried, nextDueAt } from "./due-store.ts";
import { callbackLimits } from "./limits.ts";
import { bringLineUpToDate } from "./outbox-store.ts";

/**
 * The pushes as work that is due at certain moments, for who moves the clock: each is tried when its time comes, before time goes on.
 * The worker does not need it, its delivery looks for due pushes all the time.
 */
export function createDueWork(deps: {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly delivery: Pick<Delivery, "runDue">;
}): ScheduledWork {
  return {
    name: "callbacks",
    nextDueAt: async (afterMs) => {
      await bringLineUpToDate(deps.pool);
      return inTransaction(deps.pool, (sql) => nextDueAt(sql, { afterMs }), { planned: "by_index" });
    },
    runDue: async () => {
      let tried = await deps.delivery.runDue();
      // A push that somebody is trying has its lease: were the clock moved on now, the lease would end early and it would be sent twice.
      for (let looks = 0; looks < callbackLimits.othersTryLooksMax && (await othersTry(deps)); looks += 1) {
        await sleep(callbackLimits.othersTryLookMs);
        tried += await deps.delivery.runDue();
      }
      return tried;
    },
  };
}

async function othersTry({ pool, clock }: { readonly pool: Pool; readonly clock: Clock }): Promise<boolean> {
  return inTransaction(pool, (sql) => isBeingTried(sql, { nowMs: clock.now() }), { planned: "by_index" });
}
