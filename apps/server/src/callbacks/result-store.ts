import type pg from "pg";
import { inTransaction, type Sql } from "#database/index.ts";

/** What a try changes about its push. */
export type PushEnd =
  | { readonly state: "Delivered" }
  /** Failed, and tried again at `dueAtMs`. */
  | { readonly state: "Due"; readonly dueAtMs: number }
  | { readonly state: "GivenUp" }
  /** Not tried after all: the merchant has no callback URL at present. */
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
  readonly merchantId: number;
  readonly callbackId: string;
  readonly attempt: number;
  /** Unix ms of business time. */
  readonly endedAtMs: number;
  readonly end: PushEnd;
  /** `null` when nothing was sent. */
  readonly record: TryRecord | null;
}

/**
 * A delivery counts whoever made it; every other end only when no newer try has begun, because then this one's lease had run
 * out. Rows are locked in key order, so two writers of the same pushes do not deadlock.
 */
const settleStatement = `
WITH told AS (
  SELECT DISTINCT ON (merchant_id, callback_id) * FROM unnest($1::integer[], $2::uuid[], $3::integer[], $4::text[], $5::bigint[], $6::bigint[])
    AS t (merchant_id, callback_id, attempt, outcome, ended_at, due_at)
  ORDER BY merchant_id, callback_id, outcome = 'Delivered' DESC, attempt DESC
), held AS MATERIALIZED (
  SELECT c.merchant_id, c.callback_id FROM callback c JOIN told USING (merchant_id, callback_id)
  ORDER BY c.merchant_id, c.callback_id FOR NO KEY UPDATE OF c
), changed AS (
  UPDATE callback c SET
    state = CASE t.outcome WHEN 'Released' THEN 'Due' ELSE t.outcome END,
    due_at = coalesce(t.due_at, c.due_at),
    lease_until = 0,
    attempts = c.attempts - CASE t.outcome WHEN 'Released' THEN 1 ELSE 0 END,
    failures = c.failures + CASE WHEN t.outcome IN ('Due', 'GivenUp') THEN 1 ELSE 0 END,
    first_failed_at = CASE t.outcome WHEN 'Due' THEN coalesce(c.first_failed_at, t.ended_at) ELSE c.first_failed_at END,
    finished_at = CASE WHEN t.outcome IN ('Delivered', 'GivenUp') THEN t.ended_at END
  FROM told t JOIN held h USING (merchant_id, callback_id)
  WHERE c.merchant_id = t.merchant_id AND c.callback_id = t.callback_id
    AND c.state <> 'Delivered' AND (t.outcome = 'Delivered' OR (c.state = 'Due' AND c.attempts = t.attempt))
  RETURNING c.merchant_id, c.card_no, c.sequence, c.state
)
SELECT merchant_id, card_no, sequence FROM changed WHERE state <> 'Due'`;

const recordStatement = `
INSERT INTO callback_attempt (merchant_id, callback_id, attempt, attempted_at, duration_ms, http_status, answer, error)
SELECT * FROM unnest($1::integer[], $2::uuid[], $3::integer[], $4::bigint[], $5::real[], $6::smallint[], $7::text[], $8::text[])
ON CONFLICT (merchant_id, callback_id, attempt) DO NOTHING`;

/**
 * Calls back the pushes that waited for those which have just finished: of each card the next one that has not failed itself
 * (one that has keeps its own schedule; 8 of those are passed over at most).
 */
const callBackStatement = `
WITH next AS (
  SELECT DISTINCT n.merchant_id, n.callback_id
  FROM unnest($2::integer[], $3::text[], $4::bigint[]) AS f (merchant_id, card_no, sequence)
  CROSS JOIN LATERAL (
    SELECT * FROM (
      SELECT c.merchant_id, c.callback_id, c.sequence, c.failures FROM callback c
      WHERE c.merchant_id = f.merchant_id AND c.card_no = f.card_no AND c.state = 'Due' AND c.sequence > f.sequence
      ORDER BY c.merchant_id, c.card_no, c.sequence LIMIT 8
    ) open WHERE failures = 0 ORDER BY sequence LIMIT 1
  ) n
)
UPDATE callback c SET due_at = $1 FROM next n
WHERE c.merchant_id = n.merchant_id AND c.callback_id = n.callback_id AND c.state = 'Due' AND c.failures = 0 AND c.due_at > $1`;

interface FinishedRow {
  merchant_id: number;
  card_no: string;
  sequence: bigint;
}

/**
 * Writes the results of tries together. The waiting pushes are called back by a later statement of the same transaction: only
 * then, with the finished pushes locked, does it see everything that was moved away because of them.
 */
export async function writeResults(
  pool: pg.Pool,
  { nowMs, results }: { readonly nowMs: number; readonly results: readonly TryResult[] },
): Promise<null[]> {
  await inTransaction(pool, async (sql) => {
    const finished = await settle(sql, results);
    await record(sql, results);
    if (finished.length > 0) {
      await callBack(sql, { nowMs, finished });
    }
  });
  return results.map(() => null);
}

async function settle(sql: Sql, results: readonly TryResult[]): Promise<readonly FinishedRow[]> {
  const { rows } = await sql.query<FinishedRow>({
    name: "callbacks_settle",
    text: settleStatement,
    values: [
      results.map((result) => result.merchantId),
      results.map((result) => result.callbackId),
      results.map((result) => result.attempt),
      results.map((result) => result.end.state),
      results.map((result) => result.endedAtMs),
      results.map(({ end }) => (end.state === "Due" ? end.dueAtMs : null)),
    ],
  });
  return rows;
}

async function record(sql: Sql, results: readonly TryResult[]): Promise<void> {
  const tried = results.flatMap((result) => (result.record === null ? [] : [{ ...result, record: result.record }]));
  if (tried.length === 0) {
    return;
  }
  await sql.query({
    name: "callbacks_record_attempts",
    text: recordStatement,
    values: [
      tried.map((result) => result.merchantId),
      tried.map((result) => result.callbackId),
      tried.map((result) => result.attempt),
      tried.map((result) => result.record.attemptedAtMs),
      tried.map((result) => result.record.durationMs),
      tried.map((result) => result.record.httpStatus),
      tried.map((result) => result.record.answer),
      tried.map((result) => result.record.error),
    ],
  });
}

async function callBack(
  sql: Sql,
  { nowMs, finished }: { readonly nowMs: number; readonly finished: readonly FinishedRow[] },
): Promise<void> {
  await sql.query({
    name: "callbacks_call_back",
    text: callBackStatement,
    values: [
      nowMs,
      finished.map((row) => row.merchant_id),
      finished.map((row) => row.card_no),
      finished.map((row) => row.sequence),
    ],
  });
}
