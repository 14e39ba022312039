import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
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
      return nextDueAt(deps.pool, { afterMs });
    },
    runDue: async () => {
      let tried = await deps.delivery.runDue();
      // A push that somebody is trying has its lease: were the clock moved on now, the lease would end early and it would be sent twice.
      for (
        let looks = 0;
        looks < callbackLimits.othersTryLooksMax && (await isBeingTried(deps.pool, { nowMs: deps.clock.now() }));
        looks += 1
      ) {
        await sleep(callbackLimits.othersTryLookMs);
        tried += await deps.delivery.runDue();
      }
      return tried;
    },
  };
}
