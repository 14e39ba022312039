import type { Pool } from "pg";

/** Whether the database answers: looked at every second, so that a request need not ask. */
export interface DatabaseWatch {
  /** What the last look has seen. */
  isReachable(): boolean;
  /** Looks now. */
  look(): Promise<boolean>;
  stop(): Promise<void>;
}

const everyMs = 1_000;

export function watchDatabase(pool: Pool): DatabaseWatch {
  let reachable = true;
  const look = async (): Promise<boolean> => {
    reachable = await pool.query("SELECT 1").then(
      () => true,
      () => false,
    );
    return reachable;
  };
  let looking: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    looking = look();
  }, everyMs);
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
