import type { Sql } from "#database/index.ts";
import type { Share } from "./fairness.ts";
import { callbackLimits } from "./limits.ts";

/** A push that this process may try until its lease ends. */
export interface ClaimedPush {
  readonly merchantId: number;
  readonly callbackId: string;
  readonly cardNo: string;
  readonly consumeNo: string;
  readonly sequence: number;
  readonly action: "Consumption" | "Card_update";
  readonly dataText: string;
  readonly createdAtMs: number;
  /** The number of this try, from 1. */
  readonly attempt: number;
  readonly failures: number;
  readonly firstFailedAtMs: number | null;
  /** Unix ms of business time. */
  readonly leaseUntilMs: number;
  /** The answer to the consumption's question, when it came too late and this is the push that tells it. */
  readonly lateAnswer: LateAnswer | null;
}

export interface LateAnswer {
  readonly code: number;
  /** From the question to the last byte of the answer. */
  readonly afterMs: number;
}

/** Locks the push that `h` names if it is due and nobody has it; `h` loses those that somebody else has locked. $1: now. */
const lockIfFree = `CROSS JOIN LATERAL (
    SELECT FROM callback c
    WHERE c.merchant_id = h.merchant_id AND c.card_no = h.card_no AND c.sequence = h.sequence AND c.due_at + 0 <= $1
      AND c.lease_until <= $1
    FOR NO KEY UPDATE SKIP LOCKED
  ) c`;

/**
 * Looks at each merchant's oldest due pushes and claims, of each of their cards, the first ones that are free: a run of pushes that
 * are sent one after the other. A run ends at a push that somebody else has, that is not due, or that has failed: what follows that
 * one waits, for at most 10 minutes. Row locks are only taken on the pushes that are claimed, skipping what another worker has; the
 * state is checked again under the lock, and where a push could not be locked, what follows it in the run is not claimed either.
 *
 * Asking for each looked-at push whether an earlier one is open, and claiming only those without, made a card's line cost a
 * statement for each of its pushes.
 *
 * This and the other statements of the line leave one way only to each row (migration 0028, decision 26): `merchant_id + 0` is the index of
 * the line, `due_at + 0` is not, rows are locked in a LATERAL, and where a table is written `= ANY (ARRAY[…])` keeps the list outside.
 */
const claimStatement = `
WITH share AS (
  SELECT * FROM unnest($2::integer[], $3::integer[]) AS s (merchant_id, slots)
), looked AS MATERIALIZED (
  SELECT d.merchant_id, d.card_no, d.sequence, d.due_at, s.slots
  FROM share s
  CROSS JOIN LATERAL (
    SELECT c.merchant_id, c.card_no, c.sequence, c.due_at FROM callback c
    WHERE c.merchant_id + 0 = s.merchant_id AND c.due_at <= $1 AND c.lease_until <= $1
    ORDER BY c.merchant_id + 0, c.due_at LIMIT s.slots + $7
  ) d
), front AS (
  SELECT k.merchant_id, k.card_no, k.slots, k.due_at, e.sequence, e.is_free, e.is_passed, e.failures
  FROM (
    SELECT merchant_id, card_no, slots, min(due_at) AS due_at, count(*) OVER (PARTITION BY merchant_id) AS cards
    FROM looked GROUP BY merchant_id, card_no, slots
  ) k
  CROSS JOIN LATERAL (
    SELECT c.sequence, c.failures, c.due_at <= $1 AND c.lease_until <= $1 AS is_free,
      coalesce(c.first_failed_at + $6 <= $1, false) AS is_passed
    FROM callback c
    WHERE c.merchant_id = k.merchant_id AND c.card_no = k.card_no
      AND (c.first_failed_at IS NULL OR c.first_failed_at + $6 > $1 OR (c.due_at <= $1 AND c.lease_until <= $1))
    -- No deeper than is needed: with as many cards as places, one push of each.
    ORDER BY c.merchant_id, c.card_no, c.sequence LIMIT least($5, (k.slots + k.cards - 1) / k.cards)
  ) e
), run AS (
  SELECT *, coalesce(bool_and(is_passed OR (is_free AND failures = 0)) OVER (
      PARTITION BY merchant_id, card_no ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS may_follow
  FROM front
), chosen AS (
  SELECT merchant_id, card_no, sequence, is_passed,
    count(*) FILTER (WHERE NOT is_passed) OVER (
      PARTITION BY merchant_id, card_no ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM (
    SELECT *, row_number() OVER (PARTITION BY merchant_id ORDER BY due_at, card_no, sequence) AS place
    FROM run WHERE is_free AND may_follow
  ) ranked WHERE place <= slots
), locked AS MATERIALIZED (
  SELECT h.* FROM chosen h ${lockIfFree}
), whole AS MATERIALIZED (
  SELECT merchant_id, card_no, sequence, before = count(*) FILTER (WHERE NOT is_passed) OVER (
      PARTITION BY merchant_id, card_no ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS may_go
  FROM locked
), claimed AS (
  UPDATE callback c SET lease_until = $4, attempts = c.attempts + 1, waits_since = NULL
  FROM whole w
  WHERE w.may_go AND c.merchant_id = ANY (ARRAY[w.merchant_id]) AND c.card_no = w.card_no AND c.sequence = w.sequence
  RETURNING c.merchant_id, c.callback_id, c.card_no, c.consume_no, c.sequence, c.action, c.data, c.created_at, c.attempts, c.failures,
    c.first_failed_at
)
SELECT c.*, q.answer_code AS late_code, q.done_ms AS late_ms, q.told_by
FROM claimed c
LEFT JOIN LATERAL (
  SELECT m.answer_code, m.done_ms, m.told_by FROM merchant_question m
  WHERE c.consume_no <> '' AND m.merchant_id = c.merchant_id AND m.consume_no = c.consume_no AND m.late
    AND m.answer_code IS NOT NULL AND (m.told_by IS NULL OR m.told_by = c.callback_id)
  LIMIT 1
) q ON true`;

interface ClaimRow {
  merchant_id: number;
  callback_id: string;
  card_no: string;
  consume_no: string;
  sequence: bigint;
  action: "Consumption" | "Card_update";
  data: string;
  created_at: bigint;
  attempts: number;
  failures: number;
  first_failed_at: bigint | null;
  late_code: number | null;
  late_ms: number | null;
  told_by: string | null;
}

export async function claimDue(
  sql: Sql,
  { nowMs, shares }: { readonly nowMs: number; readonly shares: readonly Share[] },
): Promise<ClaimedPush[]> {
  const leaseUntilMs = nowMs + callbackLimits.leaseMs;
  const { rows } = await sql.query<ClaimRow>({
    name: "callbacks_claim",
    text: claimStatement,
    values: [
      nowMs,
      shares.map((share) => share.merchantId),
      shares.map((share) => share.slots),
      leaseUntilMs,
      callbackLimits.runMax,
      callbackLimits.orderPatienceMs,
      callbackLimits.lookedAtBeside,
    ],
  });
  const told = rows.filter((row) => row.late_code === null || row.told_by !== null);
  const untold = rows.filter((row) => row.late_code !== null && row.told_by === null);
  const pushes = told.map((row) => claimedPush(row, leaseUntilMs));
  if (untold.length > 0) {
    pushes.push(
      ...(await chooseTellers(
        sql,
        untold.map((row) => claimedPush(row, leaseUntilMs)),
      )),
    );
  }
  return pushes.sort((a, b) => a.sequence - b.sequence);
}

function claimedPush(row: ClaimRow, leaseUntilMs: number): ClaimedPush {
  return {
    merchantId: row.merchant_id,
    callbackId: row.callback_id,
    cardNo: row.card_no,
    consumeNo: row.consume_no,
    sequence: Number(row.sequence),
    action: row.action,
    dataText: row.data,
    createdAtMs: Number(row.created_at),
    attempt: row.attempts,
    failures: row.failures,
    firstFailedAtMs: row.first_failed_at === null ? null : Number(row.first_failed_at),
    leaseUntilMs,
    lateAnswer:
      row.late_code === null || row.late_ms === null ? null : { code: row.late_code, afterMs: Math.round(row.late_ms) },
  };
}

const tellStatement = `
UPDATE merchant_question m SET told_by = t.callback_id
FROM unnest($1::integer[], $2::text[], $3::uuid[]) AS t (merchant_id, consume_no, callback_id)
WHERE m.merchant_id = ANY (ARRAY[t.merchant_id]) AND m.consume_no = t.consume_no AND m.told_by IS NULL
RETURNING m.told_by`;

/** Of the pushes that could tell a late answer, the first of each consumption does, for ever; the others do not tell it. */
async function chooseTellers(sql: Sql, untold: readonly ClaimedPush[]): Promise<ClaimedPush[]> {
  const firsts = new Map<string, ClaimedPush>();
  for (const push of untold) {
    const key = `${push.merchantId} ${push.consumeNo}`;
    const known = firsts.get(key);
    firsts.set(key, known === undefined || push.sequence < known.sequence ? push : known);
  }
  const tellers = [...firsts.values()];
  const { rows } = await sql.query<{ told_by: string }>({
    name: "callbacks_tell_late_answers",
    text: tellStatement,
    values: [
      tellers.map((push) => push.merchantId),
      tellers.map((push) => push.consumeNo),
      tellers.map((push) => push.callbackId),
    ],
  });
  const chosen = new Set(rows.map((row) => row.told_by));
  return untold.map((push) => (chosen.has(push.callbackId) ? push : { ...push, lateAnswer: null }));
}

/**
 * Of the oldest due pushes those that wait for an earlier one of their card are moved out of the way, so that a card's long line is not
 * looked at again and again. The earlier push is locked while this happens: whoever finishes it comes afterwards and calls the waiting
 * one back, so no push is moved away behind the back of what would wake it. Waits for no lock, so it cannot deadlock.
 */
const parkStatement = `
WITH blocked AS MATERIALIZED (
  SELECT d.*, b.blocker, b.passes_at
  FROM unnest($2::integer[], $3::integer[]) AS s (merchant_id, slots)
  CROSS JOIN LATERAL (
    SELECT c.merchant_id, c.card_no, c.sequence FROM callback c
    WHERE c.merchant_id + 0 = s.merchant_id AND c.due_at <= $1 AND c.lease_until <= $1
    ORDER BY c.merchant_id + 0, c.due_at LIMIT s.slots + $5
  ) d
  CROSS JOIN LATERAL (
    SELECT e.sequence AS blocker, coalesce(e.first_failed_at, $1) + $4 AS passes_at FROM callback e
    WHERE e.merchant_id = d.merchant_id AND e.card_no = d.card_no AND e.sequence < d.sequence
      AND (e.first_failed_at IS NULL OR e.first_failed_at + $4 > $1)
    ORDER BY e.merchant_id, e.card_no, e.sequence DESC LIMIT 1
  ) b
), held AS MATERIALIZED (
  SELECT b.* FROM blocked b CROSS JOIN LATERAL (
    SELECT FROM callback e WHERE e.merchant_id = b.merchant_id AND e.card_no = b.card_no AND e.sequence = b.blocker
    FOR NO KEY UPDATE SKIP LOCKED
  ) e
), waiting AS MATERIALIZED (
  SELECT h.* FROM held h ${lockIfFree}
)
UPDATE callback s SET due_at = w.passes_at, waits_since = coalesce(s.waits_since, s.due_at)
-- Sorted, so that all are locked before the first is changed: a changed one could not be locked as the next one's blocker.
FROM (SELECT * FROM waiting ORDER BY merchant_id, card_no, sequence) w
WHERE s.merchant_id = ANY (ARRAY[w.merchant_id]) AND s.card_no = w.card_no AND s.sequence = w.sequence`;

/** For merchants whose line yielded less than their share. Returns how many pushes were moved. */
export async function parkBlocked(
  sql: Sql,
  { nowMs, shares }: { readonly nowMs: number; readonly shares: readonly Share[] },
): Promise<number> {
  const { rowCount } = await sql.query({
    name: "callbacks_park",
    text: parkStatement,
    values: [
      nowMs,
      shares.map((share) => share.merchantId),
      shares.map((share) => share.slots),
      callbackLimits.orderPatienceMs,
      callbackLimits.lookedAtBeside,
    ],
  });
  return rowCount ?? 0;
}
