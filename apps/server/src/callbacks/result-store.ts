import type pg from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import type { ClaimedPush } from "./claim-store.ts";
import { callbackLimits } from "./limits.ts";

/** What a try changes about its push. */
export type PushEnd =
  | { readonly state: "Delivered" }
  /** Failed, and tried again at `dueAtMs`. */
  | { readonly state: "Failed"; readonly dueAtMs: number }
  | { readonly state: "GivenUp" }
  /** The merchant asked to wait until `dueAtMs`: no failure, and no step in the schedule of retries. */
  | { readonly state: "Throttled"; readonly dueAtMs: number }
  /** Not tried after all. */
  | { readonly state: "Released" };

export interface TryRecord {
  readonly attemptedAtMs: number;
  readonly durationMs: number;
  readonly httpStatus: number | null;
  /** The first 4 KB of the answer, without NUL characters, which Postgres cannot store. */
  readonly answer: string;
  readonly error: string;
}

export interface TryResult {
  readonly push: ClaimedPush;
  /** Unix ms of business time. */
  readonly endedAtMs: number;
  readonly end: PushEnd;
  /** `null` when nothing was sent. */
  readonly record: TryRecord | null;
}

export interface Settled {
  /** Pushes that waited for one of these and are due again. */
  readonly calledBack: number;
}

/**
 * Ends deliveries by moving their rows to the history, with their last try; or puts the push back into the line. A delivery counts
 * whoever made it; every other end only when no newer try has begun, because then this one's lease had run out. Rows are locked in
 * key order, so two writers of the same pushes do not deadlock. Answers which tries went with their push.
 *
 * What is told travels along with the locked rows: joining two such lists with each other again, each without an index, took 1.4 s
 * for 500 results.
 */
const settleStatement = `
WITH told AS MATERIALIZED (
  SELECT t.* FROM (
    SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[], $4::uuid[], $5::integer[], $6::text[], $7::bigint[], $8::bigint[],
        $9::bigint[], $10::real[], $11::smallint[], $12::text[], $13::text[])
      AS t (merchant_id, card_no, sequence, callback_id, attempt, outcome, ended_at, next_at, attempted_at, duration_ms, http_status, answer,
        error)
    ORDER BY merchant_id, card_no COLLATE "C", sequence
  ) t
  CROSS JOIN LATERAL (
    SELECT FROM callback c
    WHERE c.merchant_id = t.merchant_id AND c.card_no = t.card_no AND c.sequence = t.sequence AND c.callback_id = t.callback_id
    FOR UPDATE
  ) c
), back AS (
  UPDATE callback c SET
    due_at = coalesce(t.next_at, c.due_at),
    lease_until = 0,
    attempts = c.attempts - CASE t.outcome WHEN 'Released' THEN 1 ELSE 0 END,
    failures = c.failures + CASE t.outcome WHEN 'Failed' THEN 1 ELSE 0 END,
    first_failed_at = CASE t.outcome WHEN 'Failed' THEN coalesce(c.first_failed_at, t.ended_at) ELSE c.first_failed_at END,
    last_error = CASE t.outcome WHEN 'Released' THEN c.last_error ELSE t.error END
  FROM told t
  WHERE c.merchant_id = ANY (ARRAY[t.merchant_id]) AND c.card_no = t.card_no AND c.sequence = t.sequence
    AND t.outcome IN ('Failed', 'Throttled', 'Released') AND c.attempts = t.attempt
), over AS (
  DELETE FROM callback c USING told t
  WHERE c.merchant_id = ANY (ARRAY[t.merchant_id]) AND c.card_no = t.card_no AND c.sequence = t.sequence
    AND (t.outcome = 'Delivered' OR (t.outcome = 'GivenUp' AND c.attempts = t.attempt))
  RETURNING c.*, t.outcome, t.attempt, t.ended_at, t.attempted_at, t.duration_ms, t.http_status, t.answer, t.error
), kept AS (
  INSERT INTO callback_history (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, state, attempts,
    failures, first_failed_at, finished_at, final_attempt, attempted_at, duration_ms, http_status, answer, error)
  SELECT merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, outcome, attempts,
    failures + CASE WHEN outcome = 'GivenUp' AND attempted_at IS NOT NULL THEN 1 ELSE 0 END, first_failed_at, ended_at,
    CASE WHEN attempted_at IS NOT NULL THEN attempt END, attempted_at, duration_ms, http_status, answer, error
  FROM over
)
SELECT merchant_id, card_no, sequence, callback_id, attempt FROM over`;

interface OverRow {
  merchant_id: number;
  card_no: string;
  sequence: bigint;
  callback_id: string;
  attempt: number;
}

const recordStatement = `
INSERT INTO callback_attempt (merchant_id, callback_id, attempt, attempted_at, duration_ms, http_status, answer, error)
SELECT * FROM unnest($1::integer[], $2::uuid[], $3::integer[], $4::bigint[], $5::real[], $6::smallint[], $7::text[], $8::text[])
ON CONFLICT DO NOTHING`;

/**
 * Calls back the pushes that waited for those which have just finished: of each card the first few that wait, to the place in the line
 * that they had. A card's next open pushes are looked through for them; what comes after so many others comes back by its time.
 */
const callBackStatement = `
WITH next AS (
  SELECT n.merchant_id, n.card_no, n.sequence
  FROM (
    SELECT merchant_id, card_no, min(sequence) AS sequence
    FROM unnest($1::integer[], $2::text[], $3::bigint[]) AS f (merchant_id, card_no, sequence) GROUP BY merchant_id, card_no
  ) f
  CROSS JOIN LATERAL (
    SELECT * FROM (
      SELECT c.merchant_id, c.card_no, c.sequence, c.waits_since FROM callback c
      WHERE c.merchant_id = f.merchant_id AND c.card_no = f.card_no AND c.sequence > f.sequence
      ORDER BY c.merchant_id, c.card_no, c.sequence LIMIT $4
    ) open WHERE waits_since IS NOT NULL ORDER BY sequence LIMIT $5
  ) n
)
UPDATE callback c SET due_at = c.waits_since, waits_since = NULL FROM next n
WHERE c.merchant_id = ANY (ARRAY[n.merchant_id]) AND c.card_no = n.card_no AND c.sequence = n.sequence AND c.waits_since IS NOT NULL`;

/**
 * Writes the results of tries together. The waiting pushes are called back by a later statement of the same transaction: only
 * then, with the finished pushes locked, does it see everything that was moved away because of them.
 */
export async function writeResults(
  pool: pg.Pool,
  { results }: { readonly results: readonly TryResult[] },
): Promise<Settled> {
  return inTransaction(
    pool,
    async (sql) => {
      const over = await settle(sql, onePerPush(results));
      await record(sql, { results, over });
      return { calledBack: over.length === 0 ? 0 : await callBack(sql, over) };
    },
    { planned: "by_index" },
  );
}

/** The moments that decide into which partitions the rows of these results go. */
export function momentsOf(results: readonly TryResult[]): number[] {
  return results.flatMap(({ endedAtMs, record: tried }) =>
    tried === null ? [endedAtMs] : [endedAtMs, tried.attemptedAtMs],
  );
}

/** Of several tries of one push the one that counts: a delivery, or else the newest. */
function onePerPush(results: readonly TryResult[]): TryResult[] {
  const chosen = new Map<string, TryResult>();
  for (const result of results) {
    const { callbackId } = result.push;
    const other = chosen.get(callbackId);
    if (other === undefined || weightOf(result) > weightOf(other)) {
      chosen.set(callbackId, result);
    }
  }
  return [...chosen.values()];
}

function weightOf({ push, end }: TryResult): number {
  return end.state === "Delivered" ? Number.POSITIVE_INFINITY : push.attempt;
}

async function settle(sql: Sql, results: readonly TryResult[]): Promise<readonly OverRow[]> {
  const { rows } = await sql.query<OverRow>({
    name: "callbacks_settle",
    text: settleStatement,
    values: [
      results.map(({ push }) => push.merchantId),
      results.map(({ push }) => push.cardNo),
      results.map(({ push }) => push.sequence),
      results.map(({ push }) => push.callbackId),
      results.map(({ push }) => push.attempt),
      results.map(({ end }) => end.state),
      results.map(({ endedAtMs }) => endedAtMs),
      results.map(({ end }) => (end.state === "Failed" || end.state === "Throttled" ? end.dueAtMs : null)),
      results.map(({ record: tried }) => tried?.attemptedAtMs ?? null),
      results.map(({ record: tried }) => tried?.durationMs ?? null),
      results.map(({ record: tried }) => tried?.httpStatus ?? null),
      results.map(({ record: tried }) => tried?.answer ?? ""),
      results.map(({ record: tried }) => tried?.error ?? ""),
    ],
  });
  return rows;
}

/** The tries that did not go with their push into the history. */
async function record(
  sql: Sql,
  { results, over }: { readonly results: readonly TryResult[]; readonly over: readonly OverRow[] },
): Promise<void> {
  const kept = new Set(over.map((row) => `${row.callback_id} ${row.attempt}`));
  const tried = results.flatMap(({ push, record: made }) =>
    made === null || kept.has(`${push.callbackId} ${push.attempt}`) ? [] : [{ push, made }],
  );
  if (tried.length === 0) {
    return;
  }
  await sql.query({
    name: "callbacks_record_attempts",
    text: recordStatement,
    values: [
      tried.map(({ push }) => push.merchantId),
      tried.map(({ push }) => push.callbackId),
      tried.map(({ push }) => push.attempt),
      tried.map(({ made }) => made.attemptedAtMs),
      tried.map(({ made }) => made.durationMs),
      tried.map(({ made }) => made.httpStatus),
      tried.map(({ made }) => made.answer),
      tried.map(({ made }) => made.error),
    ],
  });
}

async function callBack(sql: Sql, over: readonly OverRow[]): Promise<number> {
  const { rowCount } = await sql.query({
    name: "callbacks_call_back",
    text: callBackStatement,
    values: [
      over.map((row) => row.merchant_id),
      over.map((row) => row.card_no),
      over.map((row) => row.sequence),
      callbackLimits.waitingLookedAt,
      callbackLimits.runMax,
    ],
  });
  return rowCount ?? 0;
}
