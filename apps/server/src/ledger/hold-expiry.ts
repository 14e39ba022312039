import type { Sql } from "#database/index.ts";

/** When the first open hold that runs out after `after` (Unix ms) does so; null when there is none. */
export async function nextHoldExpiry(sql: Sql, after: number): Promise<number | null> {
  const { rows } = await sql.query<{ expires_at: bigint }>({
    name: "ledger_next_hold_expiry",
    text: "SELECT expires_at FROM ledger.hold WHERE line = 1 AND expires_at > $1 ORDER BY expires_at LIMIT 1",
    values: [after],
  });
  return rows[0] === undefined ? null : Number(rows[0].expires_at);
}
