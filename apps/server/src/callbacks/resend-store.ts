import type { Sql } from "#database/index.ts";
import { callbackLimits } from "./limits.ts";

/**
 * Sending again. A finished push goes back from the history into the line, with the number of its tries; an open one becomes due now.
 * Either begins a new schedule of retries. A try that is under way keeps its lease, so the push is not sent twice at the same moment.
 */

const backIntoLine = `
back AS (
  DELETE FROM callback_history h USING chosen o
  WHERE h.merchant_id = $1 AND h.callback_id = o.callback_id AND h.finished_at = o.finished_at
  RETURNING h.*
), tries AS (
  INSERT INTO callback_attempt (merchant_id, callback_id, attempt, attempted_at, duration_ms, http_status, answer, error)
  SELECT merchant_id, callback_id, final_attempt, attempted_at, duration_ms, http_status, answer, error FROM back
  WHERE final_attempt IS NOT NULL ON CONFLICT DO NOTHING
), opened AS (
  INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, due_at, attempts, last_error)
  SELECT merchant_id, callback_id, card_no, sequence, action, consume_no, data, created_at, $2, attempts, error FROM back
  RETURNING callback_id
)`;

const dueNow = "due_at = $2, failures = 0, first_failed_at = NULL, waits_since = NULL";

/** Answers the ids that were found. */
export async function resendByIds(
  sql: Sql,
  options: { readonly merchantId: number; readonly callbackIds: readonly string[]; readonly nowMs: number },
): Promise<string[]> {
  const { rows } = await sql.query<{ callback_id: string }>(
    `WITH chosen AS MATERIALIZED (
       SELECT callback_id, finished_at FROM callback_history WHERE merchant_id = $1 AND callback_id = ANY ($3::uuid[])
     ), ${backIntoLine}, again AS (
       UPDATE callback SET ${dueNow} WHERE merchant_id = $1 AND callback_id = ANY ($3::uuid[]) RETURNING callback_id
     )
     SELECT callback_id FROM opened UNION ALL SELECT callback_id FROM again`,
    [options.merchantId, options.nowMs, options.callbackIds],
  );
  return rows.map((row) => row.callback_id);
}

export interface FinishedStep {
  readonly merchantId: number;
  readonly nowMs: number;
  /** Pushes made from then on. */
  readonly sinceMs: number;
  readonly which: "all" | "given_up";
  /** Below every id of the moment the search begins at, or the last id of the step before. */
  readonly afterId: string;
}

export interface StepOutcome<Place> {
  readonly changed: number;
  /** Where the next step begins; `null` when this was the last. */
  readonly next: Place | null;
}

/** A bounded number of finished pushes goes back into the line. Those that ended after `nowMs` are not part of it, so the steps come to an end. */
export async function resendFinishedStep(sql: Sql, step: FinishedStep): Promise<StepOutcome<string>> {
  const { rows } = await sql.query<{ changed: number; seen: number; last_id: string | null }>(
    `WITH seen AS MATERIALIZED (
       SELECT callback_id, finished_at, created_at FROM callback_history
       WHERE merchant_id = $1 AND callback_id > $3 AND finished_at BETWEEN $4 AND $2 ${step.which === "all" ? "" : "AND state = 'GivenUp'"}
       ORDER BY callback_id LIMIT $5
     ), chosen AS MATERIALIZED (
       SELECT callback_id, finished_at FROM seen WHERE created_at BETWEEN $4 AND $2
     ), ${backIntoLine}
     SELECT (SELECT count(*)::integer FROM opened) AS changed, (SELECT count(*)::integer FROM seen) AS seen,
       (SELECT callback_id FROM seen ORDER BY callback_id DESC LIMIT 1) AS last_id`,
    [step.merchantId, step.nowMs, step.afterId, step.sinceMs, callbackLimits.rowsPerStep],
  );
  const [row] = rows;
  return row === undefined
    ? { changed: 0, next: null }
    : { changed: row.changed, next: row.seen < callbackLimits.rowsPerStep ? null : row.last_id };
}

/** A place in the order of a merchant's cards. */
export interface CardPlace {
  readonly cardNo: string;
  readonly sequence: bigint;
}

export const firstPlace: CardPlace = { cardNo: "", sequence: 0n };

export interface OpenStep {
  readonly merchantId: number;
  readonly nowMs: number;
  readonly sinceMs: number;
  /** `failing`: those that have failed in their present schedule. */
  readonly which: "all" | "failing";
  readonly after: CardPlace;
}

/** Of a bounded number of open pushes those that are meant become due now. */
export async function resendOpenStep(sql: Sql, step: OpenStep): Promise<StepOutcome<CardPlace>> {
  const { rows } = await sql.query<{ changed: number; seen: number; card_no: string | null; sequence: bigint | null }>(
    `WITH seen AS MATERIALIZED (
       SELECT card_no, sequence, created_at, failures FROM callback
       WHERE merchant_id = $1 AND (card_no, sequence) > ($3, $4) ORDER BY card_no, sequence LIMIT $6
     ), again AS (
       UPDATE callback c SET ${dueNow} FROM seen s
       WHERE c.merchant_id = $1 AND c.card_no = s.card_no AND c.sequence = s.sequence AND s.created_at BETWEEN $5 AND $2
         ${step.which === "all" ? "" : "AND s.failures > 0"}
       RETURNING 1
     ), last AS (SELECT card_no, sequence FROM seen ORDER BY card_no DESC, sequence DESC LIMIT 1)
     SELECT (SELECT count(*)::integer FROM again) AS changed, (SELECT count(*)::integer FROM seen) AS seen,
       (SELECT card_no FROM last) AS card_no, (SELECT sequence FROM last) AS sequence`,
    [
      step.merchantId,
      step.nowMs,
      step.after.cardNo,
      step.after.sequence,
      step.sinceMs,
      step.which === "all" ? callbackLimits.rowsPerStep : callbackLimits.openPerStep,
    ],
  );
  const [row] = rows;
  const rowsMax = step.which === "all" ? callbackLimits.rowsPerStep : callbackLimits.openPerStep;
  if (row === undefined || row.seen < rowsMax || row.card_no === null || row.sequence === null) {
    return { changed: row?.changed ?? 0, next: null };
  }
  return { changed: row.changed, next: { cardNo: row.card_no, sequence: row.sequence } };
}
