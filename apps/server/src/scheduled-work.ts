import type { MayGoOn, ScheduledWork } from "#kernel/index.ts";
import { nextHoldExpiry } from "#ledger/index.ts";
import type { Rooms } from "./compose.ts";
import { scheduledWork as bounds } from "./limits.ts";

/**
 * Everything that happens because business time passes and whose order matters: of one moment the first in the list comes first. Money
 * that a hold gives back is there for the fee of the same moment.
 */
export function scheduledWork({
  pool,
  authorization,
  management,
}: Pick<Rooms, "pool" | "authorization" | "management">): ScheduledWork[] {
  const holds = { nextDueAt: (after: number) => nextHoldExpiry(pool, after) };
  return [
    {
      name: "holds",
      ...holds,
      runDue: (until, mayGoOn) =>
        toTheEnd({ ...holds, until, mayGoOn, step: () => authorization.releaseRunOut(until) }),
    },
    management,
  ];
}

interface StepWise {
  readonly until: number;
  readonly mayGoOn: MayGoOn;
  readonly nextDueAt: ScheduledWork["nextDueAt"];
  /** Does a batch; answers how much. */
  readonly step: () => Promise<number>;
}

/** A batch that others did meanwhile counts nothing here and is not the end: there may be another one behind it. */
async function toTheEnd({ until, mayGoOn, nextDueAt, step }: StepWise): Promise<number> {
  let done = 0;
  for (let idleSteps = 0; idleSteps <= bounds.idleStepsMax && mayGoOn(); ) {
    const due = await nextDueAt(-1);
    if (due === null || due > until) {
      break;
    }
    const count = await step();
    done += count;
    idleSteps = count === 0 ? idleSteps + 1 : 0;
  }
  return done;
}
