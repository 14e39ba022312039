import { setTimeout as sleep } from "node:timers/promises";
import type { Pool } from "pg";

/** Whether the database answers: looked at every second, so that a request need not ask. */
export interface DatabaseWatch {
  /** What the last look has seen. */
  isReachable(): boolean;
  /** Looks now, or takes part in the look that is under way; answers within 3 s. */
  look(): Promise<boolean>;
  stop(): Promise<void>;
}

const everyMs = 1_000;
/** A database that takes longer for nothing is of no use to a purchase that must be answered within seconds. */
const lookMsMax = 3_000;

export function watchDatabase(pool: Pool): DatabaseWatch {
  let reachable = true;
  let looking: Promise<boolean> | null = null;
  const look = (): Promise<boolean> => {
    // One at a time: while the database is away, each look waits for the pool, and looks must not use that up.
    looking ??= answers(pool).then((answered) => {
      looking = null;
      reachable = answered;
      return answered;
    });
    return looking;
  };
  const timer = setInterval(() => void look(), everyMs);
  timer.unref();
  return {
    isReachable: () => reachable,
    look,
    stop: async () => {
      clearInterval(timer);
      await looking;
    },
  };
}

/** Never rejects. A query that is late goes on by itself until the pool gives it up. */
async function answers(pool: Pool): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(lookMsMax, false, { signal: over.signal }).catch(() => false);
  const answered = await Promise.race([
    pool.query("SELECT 1").then(
      () => true,
      () => false,
    ),
    late,
  ]);
  over.abort();
  return answered;
}
