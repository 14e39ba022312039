import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";
import type { Clock, ScheduledWork } from "#kernel/index.ts";
import type { Delivery } from "./delivery.ts";
import { callbackLimits } from "./limits.ts";

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
    nextDueAt: async (after) => {
      const { rows } = await deps.pool.query<{ due_at: bigint }>(
        "SELECT due_at FROM callback WHERE state = 'Due' AND due_at > $1 ORDER BY due_at LIMIT 1",
        [after],
      );
      return rows[0] === undefined ? null : Number(rows[0].due_at);
    },
    runDue: async () => {
      let tried = await deps.delivery.runDue();
      // A push that somebody is trying has its lease: were the clock moved on now, the lease would end early and it would be sent twice.
      for (let looks = 0; looks < callbackLimits.othersTryLooksMax && (await isBeingTried(deps)); looks += 1) {
        await sleep(callbackLimits.othersTryLookMs);
        tried += await deps.delivery.runDue();
      }
      return tried;
    },
  };
}

async function isBeingTried({ pool, clock }: { readonly pool: Pool; readonly clock: Clock }): Promise<boolean> {
  const { rowCount } = await pool.query(
    `SELECT 1 FROM (SELECT lease_until FROM callback WHERE state = 'Due' AND due_at <= $1 ORDER BY due_at DESC LIMIT $2) d
     WHERE lease_until > $1 LIMIT 1`,
    [clock.now(), callbackLimits.othersTryRows],
  );
  return rowCount === 1;
}
