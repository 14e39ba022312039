import type { Sql } from "#database/index.ts";
import type { CallbackAttempt, CallbackEntry, CallbackFilter, CallbackKey, CallbackState } from "./entries.ts";
import { callbackLimits } from "./limits.ts";

interface EntryRow {
  merchant_id: number;
  callback_id: string;
  card_no: string;
  consume_no: string;
  sequence: bigint;
  action: "Consumption" | "Card_update";
  data: string;
  state: CallbackState;
  created_at: bigint;
  due_at: bigint;
  attempts: number;
  first_failed_at: bigint | null;
  finished_at: bigint | null;
  last_error: string;
}

const columns = `merchant_id, callback_id, card_no, consume_no, sequence, action::text, data, state, created_at, due_at, attempts,
  first_failed_at, finished_at, last_error`;

/**
 * Newest first. The view's two halves are each asked for a page. Only conditions that were given stand in the statement, so that
 * Postgres can choose by them; what finished before `fromMs` was made before it, which leaves out whole partitions.
 */
export async function selectCallbacks(sql: Sql, filter: CallbackFilter): Promise<CallbackEntry[]> {
  const values: unknown[] = [];
  const given = (value: unknown): string => `$${values.push(value)}`;
  const conditions = [`merchant_id = ${given(filter.merchantId)}`];
  const add = (value: unknown, condition: (parameter: string) => string): void => {
    if (value !== undefined) {
      conditions.push(condition(given(value)));
    }
  };
  add(filter.cardNo, (parameter) => `card_no = ${parameter}`);
  add(filter.consumeNo, (parameter) => `consume_no = ${parameter}`);
  add(filter.action, (parameter) => `action = ${parameter}`);
  add(filter.state, (parameter) => `state = ${parameter}`);
  add(
    filter.fromMs,
    (parameter) => `created_at >= ${parameter} AND (finished_at IS NULL OR finished_at >= ${parameter})`,
  );
  add(filter.toMs, (parameter) => `created_at <= ${parameter}`);
  add(filter.before, (parameter) => `callback_id < ${parameter}`);
  if (filter.consumeNo === "") {
    return [];
  }
  const limit = given(Math.min(Math.max(filter.limit ?? callbackLimits.listMax, 1), callbackLimits.listMax));
  const half = (of: string, state: string): string =>
    `(SELECT ${columns} FROM (SELECT *, ${state} FROM ${of}) c WHERE ${conditions.join(" AND ")} ORDER BY callback_id DESC LIMIT ${limit})`;
  const halves = [
    ...(filter.state === undefined || filter.state === "Open"
      ? [half("callback", "'Open' AS state, NULL::bigint AS finished_at")]
      : []),
    ...(filter.state === "Open" ? [] : [half("callback_history", "error AS last_error")]),
  ];
  const { rows } = await sql.query<EntryRow>(
    `SELECT * FROM (${halves.join(" UNION ALL ")}) page ORDER BY callback_id DESC LIMIT ${limit}`,
    values,
  );
  return rows.map(entryOf);
}

export async function selectCallback(sql: Sql, { merchantId, callbackId }: CallbackKey): Promise<CallbackEntry | null> {
  const { rows } = await sql.query<EntryRow>(
    `SELECT ${columns} FROM any_callback WHERE merchant_id = $1 AND callback_id = $2 LIMIT 1`,
    [merchantId, callbackId],
  );
  return rows[0] === undefined ? null : entryOf(rows[0]);
}

function entryOf(row: EntryRow): CallbackEntry {
  return {
    merchantId: row.merchant_id,
    callbackId: row.callback_id,
    cardNo: row.card_no,
    consumeNo: row.consume_no,
    sequence: Number(row.sequence),
    action: row.action,
    dataText: row.data,
    state: row.state,
    createdAtMs: Number(row.created_at),
    dueAtMs: Number(row.due_at),
    attempts: row.attempts,
    firstFailedAtMs: row.first_failed_at === null ? null : Number(row.first_failed_at),
    finishedAtMs: row.finished_at === null ? null : Number(row.finished_at),
    lastError: row.last_error,
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
    `SELECT DISTINCT ON (attempt) * FROM (
       SELECT attempt, attempted_at, duration_ms, http_status, answer, error FROM callback_attempt
       WHERE merchant_id = $1 AND callback_id = $2
       UNION ALL
       SELECT final_attempt, attempted_at, duration_ms, http_status, answer, error FROM callback_history
       WHERE merchant_id = $1 AND callback_id = $2 AND final_attempt IS NOT NULL
     ) tries ORDER BY attempt DESC LIMIT $3`,
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
