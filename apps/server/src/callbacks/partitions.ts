import type pg from "pg";
import { errorCode } from "#database/index.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackDeps, nameOf } from "./ports.ts";

/** The history's tables, one for each day of business time. */
export interface Partitions {
  /** Makes those of today and the next days, and drops those whose time is over. Returns how many; call again while it is not 0. */
  keep(): Promise<number>;
  /**
   * Runs work that writes rows of certain moments (Unix ms). When one of them has no partition yet, which happens after the clock was
   * moved, it is made and the work runs again; so the work must have no effect when it throws.
   */
  writing<Outcome>(momentsMs: () => readonly number[], work: () => Promise<Outcome>): Promise<Outcome>;
}

export const dayMs = 86_400_000;

export function createPartitions(deps: Pick<CallbackDeps, "pool" | "clock" | "log">): Partitions {
  return {
    keep: () => keep(deps),
    writing: (momentsMs, work) => writing(deps, { momentsMs, work }),
  };
}

async function keep({ pool, clock, log }: Pick<CallbackDeps, "pool" | "clock" | "log">): Promise<number> {
  const today = dayOf(clock.now());
  const made = await make(
    pool,
    Array.from({ length: callbackLimits.partitionsAhead + 1 }, (_, ahead) => today + ahead),
  );
  for (let dropped = 0; dropped < callbackLimits.partitionsDroppedPerRound; dropped += 1) {
    try {
      const { rows } = await pool.query<{ dropped: number }>("SELECT drop_callback_partition($1, $2) AS dropped", [
        today - callbackLimits.historyDays,
        today - callbackLimits.attemptDays,
      ]);
      if (rows[0]?.dropped !== 1) {
        return made + dropped;
      }
    } catch (error) {
      if (!isLockTimeout(error)) {
        throw error;
      }
      // Somebody reads the history for long: the next round comes in a minute.
      log.warn({ error: nameOf(error) }, "an old partition of the callbacks is in use and was not dropped");
      return made + dropped;
    }
  }
  return made + callbackLimits.partitionsDroppedPerRound;
}

async function writing<Outcome>(
  { pool }: Pick<CallbackDeps, "pool">,
  { momentsMs, work }: { readonly momentsMs: () => readonly number[]; readonly work: () => Promise<Outcome> },
): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (attempt >= callbackLimits.partitionTries || !isPartitionMissing(error)) {
        throw error;
      }
      await makeOrWait(pool, [...new Set(momentsMs().map(dayOf))]);
    }
  }
}

async function makeOrWait(pool: pg.Pool, days: readonly number[]): Promise<void> {
  try {
    await make(pool, days);
  } catch (error) {
    // Another process is making them; the work, tried again, finds out whether it was done.
    if (!isLockTimeout(error)) {
      throw error;
    }
  }
}

async function make(pool: pg.Pool, days: readonly number[]): Promise<number> {
  const { rows } = await pool.query<{ made: number }>("SELECT make_callback_partitions($1) AS made", [days]);
  return rows[0]?.made ?? 0;
}

function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

function isLockTimeout(error: unknown): boolean {
  return errorCode(error) === "55P03";
}

/** "no partition of relation … found for row": a check violation without a constraint. */
function isPartitionMissing(error: unknown): boolean {
  return errorCode(error) === "23514" && error instanceof Error && !("constraint" in error && error.constraint);
}
