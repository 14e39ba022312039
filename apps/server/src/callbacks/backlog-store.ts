import type { Sql } from "#database/index.ts";
import { openMerchants } from "./due-store.ts";

/** What is still to be delivered. */
export interface CallbackBacklog {
  /** Pushes that no worker has seen yet; each of the two is counted so far only as the caller asked. */
  readonly inOutbox: number;
  /** Pushes that wait or are being tried. */
  readonly inLine: number;
  /**
   * The moment since which a push has been due that could have gone: its endpoint takes pushes, is not paused and has not asked for
   * patience. Unix ms of business time; `null` when there is none.
   */
  readonly dueSinceMs: number | null;
}

/**
 * One step through the index for each merchant with anything open. An outbox row holds pushes of one moment, so the
 * first one of the oldest row speaks for it.
 */
export async function selectBacklog(
  sql: Sql,
  { nowMs, countMax }: { readonly nowMs: number; readonly countMax: number },
): Promise<CallbackBacklog> {
  const { rows } = await sql.query<{ in_outbox: number; in_line: number; due_since: bigint | null }>(
    `${openMerchants}, oldest AS (
       SELECT d.due_at FROM merchant m LEFT JOIN callback_endpoint e USING (merchant_id)
       CROSS JOIN LATERAL (
         SELECT c.due_at FROM callback c WHERE c.merchant_id + 0 = m.merchant_id ORDER BY c.merchant_id + 0, c.due_at LIMIT 1
       ) d
       WHERE coalesce(e.paused_by, '') = '' AND coalesce(e.held_until, 0) <= $1 AND e.failing_since IS NULL
       UNION ALL
       (SELECT (callbacks[1]).due_at FROM callback_outbox ORDER BY outbox_id LIMIT 1)
     )
     SELECT (SELECT least(coalesce(sum(size), 0), $2) FROM (SELECT size FROM callback_outbox LIMIT $2) o)::integer AS in_outbox,
       (SELECT count(*) FROM (SELECT FROM callback LIMIT $2) c)::integer AS in_line,
       (SELECT min(due_at) FROM oldest WHERE due_at <= $1) AS due_since`,
    [nowMs, countMax],
  );
  const [row] = rows;
  const dueSince = row?.due_since ?? null;
  return {
    inOutbox: row?.in_outbox ?? 0,
    inLine: row?.in_line ?? 0,
    dueSinceMs: dueSince === null ? null : Number(dueSince),
  };
}
