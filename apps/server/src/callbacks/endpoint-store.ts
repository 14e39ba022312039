import type { Sql } from "#database/index.ts";
import type { PausedBy } from "./endpoints.ts";

/** What the tries of a moment say about a merchant's endpoint; times in Unix ms of business time. */
export interface EndpointNote {
  readonly merchantId: number;
  readonly lastSuccessAtMs: number | null;
  readonly lastFailureAtMs: number | null;
  /** The first failure since the last success of this note, or of the note itself. */
  readonly failingFromMs: number | null;
  readonly throttledFromMs: number | null;
  /** 0: the merchant has not asked for patience. */
  readonly heldUntilMs: number;
}

export interface EndpointRow {
  merchant_id: number;
  paused_by: PausedBy;
  paused_at: bigint | null;
  failing_since: bigint | null;
  throttled_since: bigint | null;
  held_until: bigint;
  last_success_at: bigint | null;
  last_failure_at: bigint | null;
}

/**
 * A success in the note ends what was counted before it; what the note counts after it begins anew. Locked in key order, so that two
 * writers do not deadlock.
 */
const noteStatement = `
INSERT INTO callback_endpoint AS e (merchant_id, last_success_at, last_failure_at, failing_since, throttled_since, held_until)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])
  AS n (merchant_id, last_success_at, last_failure_at, failing_since, throttled_since, held_until)
ORDER BY merchant_id
ON CONFLICT (merchant_id) DO UPDATE SET
  last_success_at = greatest(e.last_success_at, EXCLUDED.last_success_at),
  last_failure_at = greatest(e.last_failure_at, EXCLUDED.last_failure_at),
  failing_since = CASE WHEN EXCLUDED.last_success_at IS NULL THEN coalesce(e.failing_since, EXCLUDED.failing_since)
    ELSE EXCLUDED.failing_since END,
  throttled_since = CASE WHEN EXCLUDED.last_success_at IS NULL THEN coalesce(e.throttled_since, EXCLUDED.throttled_since)
    ELSE EXCLUDED.throttled_since END,
  held_until = greatest(e.held_until, EXCLUDED.held_until)
RETURNING *`;

export async function noteEndpoints(sql: Sql, notes: readonly EndpointNote[]): Promise<EndpointRow[]> {
  const { rows } = await sql.query<EndpointRow>({
    name: "callbacks_note_endpoints",
    text: noteStatement,
    values: [
      notes.map((note) => note.merchantId),
      notes.map((note) => note.lastSuccessAtMs),
      notes.map((note) => note.lastFailureAtMs),
      notes.map((note) => note.failingFromMs),
      notes.map((note) => note.throttledFromMs),
      notes.map((note) => note.heldUntilMs),
    ],
  });
  return rows;
}

export interface PausedEndpoint {
  readonly merchantId: number;
  readonly failingSinceMs: number;
}

/** Pauses those of the merchants that have failed since a moment or longer; answers whom this call has paused. */
export async function pauseFailing(
  sql: Sql,
  options: { readonly merchantIds: readonly number[]; readonly failingSinceMs: number; readonly nowMs: number },
): Promise<PausedEndpoint[]> {
  const { rows } = await sql.query<{ merchant_id: number; failing_since: bigint }>(
    `UPDATE callback_endpoint SET paused_by = 'failures', paused_at = $3
     WHERE merchant_id = ANY ($1) AND paused_by = '' AND failing_since <= $2 RETURNING merchant_id, failing_since`,
    [options.merchantIds, options.failingSinceMs, options.nowMs],
  );
  return rows.map((row) => ({ merchantId: row.merchant_id, failingSinceMs: Number(row.failing_since) }));
}

/** Whether it went on until now; a pause that failures have caused becomes the person's. */
export async function pauseByHand(
  sql: Sql,
  {
    merchantId,
    by,
    nowMs,
  }: { readonly merchantId: number; readonly by: "operator" | "merchant"; readonly nowMs: number },
): Promise<boolean> {
  const { rows } = await sql.query<{ was: PausedBy | null }>(
    `WITH before AS (SELECT paused_by FROM callback_endpoint WHERE merchant_id = $1 FOR UPDATE), paused AS (
       INSERT INTO callback_endpoint AS e (merchant_id, paused_by, paused_at) VALUES ($1, $2, $3)
       ON CONFLICT (merchant_id) DO UPDATE SET paused_by = EXCLUDED.paused_by, paused_at = coalesce(e.paused_at, EXCLUDED.paused_at)
       WHERE e.paused_by IN ('', 'failures')
     )
     SELECT (SELECT paused_by FROM before) AS was`,
    [merchantId, by, nowMs],
  );
  return (rows[0]?.was ?? "") === "";
}

/** Lets deliveries go on, unless somebody else than `pausedBy` has paused them. Answers who had, or null where nothing was changed. */
export async function resumeEndpoint(
  sql: Sql,
  { merchantId, pausedBy }: { readonly merchantId: number; readonly pausedBy: readonly PausedBy[] },
): Promise<PausedBy | null> {
  const { rows } = await sql.query<{ was: PausedBy }>(
    `WITH before AS (
       SELECT merchant_id, paused_by FROM callback_endpoint WHERE merchant_id = $1 AND paused_by = ANY ($2) FOR UPDATE
     )
     UPDATE callback_endpoint e SET paused_by = '', paused_at = NULL, failing_since = NULL, throttled_since = NULL, held_until = 0
     FROM before b WHERE e.merchant_id = b.merchant_id RETURNING b.paused_by AS was`,
    [merchantId, pausedBy],
  );
  return rows[0]?.was ?? null;
}

export async function selectEndpoint(sql: Sql, merchantId: number): Promise<EndpointRow | null> {
  const { rows } = await sql.query<EndpointRow>("SELECT * FROM callback_endpoint WHERE merchant_id = $1", [merchantId]);
  return rows[0] ?? null;
}

export async function countOpen(
  sql: Sql,
  { merchantId, countMax }: { readonly merchantId: number; readonly countMax: number },
): Promise<{ readonly count: number; readonly isExact: boolean }> {
  const { rows } = await sql.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM (SELECT 1 FROM callback WHERE merchant_id = $1 LIMIT $2) c",
    [merchantId, countMax + 1],
  );
  const count = rows[0]?.count ?? 0;
  return { count: Math.min(count, countMax), isExact: count <= countMax };
}
