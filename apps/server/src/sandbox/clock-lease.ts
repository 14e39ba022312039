import type { Sql } from "#database/index.ts";

/**
 * Who moves the clock holds this lease, so that moves follow one another, whatever process they are made in. Its end is counted by the
 * database's machine: business time is what moves.
 */
export interface ClockLease {
  readonly moverId: string;
  readonly leaseMs: number;
}

const databaseNow = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/** Takes the lease, or renews it for who has it; false while somebody else does. */
export async function takeClockLease(sql: Sql, { moverId, leaseMs }: ClockLease): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE sandbox_clock SET mover_id = $1, moving_until = ${databaseNow} + $2::bigint
     WHERE mover_id IS NULL OR mover_id = $1 OR moving_until <= ${databaseNow}`,
    [moverId, leaseMs],
  );
  return rowCount === 1;
}

/** What somebody else has taken over meanwhile stays theirs. */
export async function endClockLease(sql: Sql, { moverId }: Pick<ClockLease, "moverId">): Promise<void> {
  await sql.query("UPDATE sandbox_clock SET mover_id = NULL, moving_until = 0 WHERE mover_id = $1", [moverId]);
}
