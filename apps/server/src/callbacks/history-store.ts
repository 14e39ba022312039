import type { Sql } from "#database/index.ts";
import { callbackLimits } from "./limits.ts";

export type CallbackState = "Due" | "Delivered" | "GivenUp";

/** A push as an operator sees it; times in Unix ms. */
export interface CallbackEntry {
  readonly merchantId: number;
  readonly callbackId: string;
  readonly cardNo: string;
  readonly sequence: number;
  readonly action: "Consumption" | "Card_update";
  readonly dataText: string;
  readonly state: CallbackState;
  readonly createdAtMs: number;
  readonly dueAtMs: number;
  readonly attempts: number;
  readonly firstFailedAtMs: number | null;
  readonly finishedAtMs: number | null;
}

export interface CallbackFilter {
  readonly merchantId: number;
  readonly cardNo?: string;
  readonly state?: CallbackState;
  readonly fromMs?: number;
  readonly toMs?: number;
  /** The `callbackId` of the last entry of the page before. */
  readonly before?: string;
  /** 1 to 100; 100 when absent. */
  readonly limit?: number;
}

export interface CallbackAttempt {
  readonly attempt: number;
  readonly attemptedAtMs: number;
  readonly durationMs: number;
  readonly httpStatus: number | null;
  readonly answer: string;
  readonly error: string;
}

export interface CallbackKey {
  readonly merchantId: number;
  readonly callbackId: string;
}

interface EntryRow {
  merchant_id: number;
  callback_id: string;
  card_no: string;
  sequence: bigint;
  action: "Consumption" | "Card_update";
  data: string;
  state: CallbackState;
  created_at: bigint;
  due_at: bigint;
  attempts: number;
  first_failed_at: bigint | null;
  finished_at: bigint | null;
}

const listStatement = `
SELECT merchant_id, callback_id, card_no, sequence, action, data, state, created_at, due_at, attempts, first_failed_at, finished_at
FROM callback
WHERE merchant_id = $1 AND ($2::text IS NULL OR card_no = $2) AND ($3::text IS NULL OR state = $3)
  AND ($4::bigint IS NULL OR created_at >= $4) AND ($5::bigint IS NULL OR created_at <= $5)
  AND ($6::uuid IS NULL OR callback_id < $6)
ORDER BY callback_id DESC LIMIT $7`;

/** Newest first. Not a named statement: with the values known, Postgres leaves the absent conditions out of its plan. */
export async function selectCallbacks(sql: Sql, filter: CallbackFilter): Promise<CallbackEntry[]> {
  const { rows } = await sql.query<EntryRow>(listStatement, [
    filter.merchantId,
    filter.cardNo ?? null,
    filter.state ?? null,
    filter.fromMs ?? null,
    filter.toMs ?? null,
    filter.before ?? null,
    Math.min(Math.max(filter.limit ?? callbackLimits.listMax, 1), callbackLimits.listMax),
  ]);
  return rows.map(entryOf);
}

function entryOf(row: EntryRow): CallbackEntry {
  return {
    merchantId: row.merchant_id,
    callbackId: row.callback_id,
    cardNo: row.card_no,
    sequence: Number(row.sequence),
    action: row.action,
    dataText: row.data,
    state: row.state,
    createdAtMs: Number(row.created_at),
    dueAtMs: Number(row.due_at),
    attempts: row.attempts,
    firstFailedAtMs: row.first_failed_at === null ? null : Number(row.first_failed_at),
    finishedAtMs: row.finished_at === null ? null : Number(row.finished_at),
  };
}

interface AttemptRow {
  attempt: number;
  attempted_at: bigint;
  duration_ms: number;
  http_status: number | null;
  answer: string;
  error: string;
}

/** At most 100, the latest first: a schedule has 68 tries, each sending by hand begins another one. */
export async function selectAttempts(sql: Sql, { merchantId, callbackId }: CallbackKey): Promise<CallbackAttempt[]> {
  const { rows } = await sql.query<AttemptRow>(
    `SELECT attempt, attempted_at, duration_ms, http_status, answer, error FROM callback_attempt
     WHERE merchant_id = $1 AND callback_id = $2 ORDER BY attempt DESC LIMIT $3`,
    [merchantId, callbackId, callbackLimits.listMax],
  );
  return rows.map((row) => ({
    attempt: row.attempt,
    attemptedAtMs: Number(row.attempted_at),
    durationMs: row.duration_ms,
    httpStatus: row.http_status,
    answer: row.answer,
    error: row.error,
  }));
}

const againColumns = "state = 'Due', due_at = $1, failures = 0, first_failed_at = NULL, finished_at = NULL";

/** Whether the push exists. A running try keeps its lease, so the push is not sent twice at the same moment. */
export async function makeDueAgain(
  sql: Sql,
  { merchantId, callbackId, nowMs }: CallbackKey & { readonly nowMs: number },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE callback SET ${againColumns} WHERE merchant_id = $2 AND callback_id = $3`,
    [nowMs, merchantId, callbackId],
  );
  return rowCount === 1;
}

export interface ResendStep {
  readonly merchantId: number;
  readonly sinceMs: number;
  readonly nowMs: number;
  /** Below every id of the moment the search begins at, or the last id of the step before. */
  readonly afterId: string;
}

const stepStatement = `
WITH step AS (
  SELECT merchant_id, callback_id, created_at FROM callback
  WHERE merchant_id = $2 AND callback_id > $3 ORDER BY callback_id LIMIT $5
), again AS (
  UPDATE callback c SET ${againColumns} FROM step s
  WHERE c.merchant_id = s.merchant_id AND c.callback_id = s.callback_id AND s.created_at BETWEEN $4 AND $1
  RETURNING 1
)
SELECT (SELECT count(*)::integer FROM again) AS changed, (SELECT count(*)::integer FROM step) AS seen,
  (SELECT callback_id FROM step ORDER BY callback_id DESC LIMIT 1) AS last_id`;

export interface StepOutcome {
  readonly changed: number;
  /** Where the next step begins; `null` when this was the last. */
  readonly nextAfterId: string | null;
}

export async function makeStepDueAgain(sql: Sql, step: ResendStep): Promise<StepOutcome> {
  const { rows } = await sql.query<{ changed: number; seen: number; last_id: string | null }>(stepStatement, [
    step.nowMs,
    step.merchantId,
    step.afterId,
    step.sinceMs,
    callbackLimits.rowsPerStep,
  ]);
  const [row] = rows;
  if (row === undefined) {
    return { changed: 0, nextAfterId: null };
  }
  return { changed: row.changed, nextAfterId: row.seen < callbackLimits.rowsPerStep ? null : row.last_id };
}

const removeStatement = `
WITH old AS MATERIALIZED (
  SELECT merchant_id, callback_id FROM callback
  WHERE state <> 'Due' AND finished_at < $1 ORDER BY finished_at LIMIT $2 FOR UPDATE SKIP LOCKED
), attempts AS (
  DELETE FROM callback_attempt a USING old o WHERE a.merchant_id = o.merchant_id AND a.callback_id = o.callback_id
)
DELETE FROM callback c USING old o WHERE c.merchant_id = o.merchant_id AND c.callback_id = o.callback_id`;

/** Removes pushes that ended before a moment, with their attempts. Returns how many. */
export async function deleteFinished(
  sql: Sql,
  { finishedBeforeMs, limit }: { readonly finishedBeforeMs: number; readonly limit: number },
): Promise<number> {
  const { rowCount } = await sql.query(removeStatement, [finishedBeforeMs, limit]);
  return rowCount ?? 0;
}
