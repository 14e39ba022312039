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

/** A push that has to wait for an earlier one of its card. */
export interface BlockedPush {
  readonly merchantId: number;
  readonly cardNo: string;
  readonly sequence: number;
  readonly blockerSequence: number;
  /** When it may pass the earlier one even if that is still open. */
  readonly passesAtMs: number;
}

/** What was claimed, and what was looked at in vain because an earlier push of the same card is open. */
export interface Claim {
  readonly claimed: readonly ClaimedPush[];
  readonly blocked: readonly BlockedPush[];
}

/**
 * Looks at each merchant's oldest due pushes and claims, of each of their cards, the first ones that are free: a run of pushes that
 * are sent one after the other. A run ends at a push that somebody else has, that is not due, or that has failed: what follows that
 * one waits, for at most 10 minutes. Row locks are only taken on the pushes that are claimed, skipping what another worker has; the
 * state is checked again under the lock, and where a push could not be locked, what follows it in the run is not claimed either.
 *
 * Asking for each looked-at push whether an earlier one is open, and claiming only those without, made a card's line cost a
 * statement for each of its pushes.
 */
const claimStatement = `
WITH share AS (
  SELECT * FROM unnest($2::integer[], $3::integer[]) AS s (merchant_id, slots)
), looked AS MATERIALIZED (
  SELECT d.merchant_id, d.card_no, d.sequence, d.due_at, s.slots
  FROM share s
  CROSS JOIN LATERAL (
    SELECT c.merchant_id, c.card_no, c.sequence, c.due_at FROM callback c
    WHERE c.merchant_id = s.merchant_id AND c.due_at <= $1 AND c.lease_until <= $1
    ORDER BY c.merchant_id, c.due_at LIMIT s.slots * $7 + $8
  ) d
), front AS (
  SELECT k.merchant_id, k.card_no, k.slots, k.due_at, e.sequence, e.is_free, e.is_passed, e.failures
  FROM (
    SELECT merchant_id, card_no, slots, min(due_at) AS due_at FROM looked GROUP BY merchant_id, card_no, slots
  ) k
  CROSS JOIN LATERAL (
    SELECT c.sequence, c.failures, c.due_at <= $1 AND c.lease_until <= $1 AS is_free,
      coalesce(c.first_failed_at + $6 <= $1, false) AS is_passed
    FROM callback c
    WHERE c.merchant_id = k.merchant_id AND c.card_no = k.card_no
      AND (c.first_failed_at IS NULL OR c.first_failed_at + $6 > $1 OR (c.due_at <= $1 AND c.lease_until <= $1))
    ORDER BY c.merchant_id, c.card_no, c.sequence LIMIT $5
  ) e
), run AS (
  SELECT *, coalesce(bool_and(is_passed OR (is_free AND failures = 0)) OVER (
      PARTITION BY merchant_id, card_no ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS may_follow
  FROM front
), chosen AS MATERIALIZED (
  SELECT * FROM (
    SELECT merchant_id, card_no, sequence, slots, is_passed,
      row_number() OVER (PARTITION BY merchant_id ORDER BY due_at, card_no, sequence) AS place
    FROM run WHERE is_free AND may_follow
  ) ranked WHERE place <= slots
), locked AS MATERIALIZED (
  SELECT c.merchant_id, c.card_no, c.sequence FROM chosen JOIN callback c USING (merchant_id, card_no, sequence)
  WHERE c.due_at <= $1 AND c.lease_until <= $1
  FOR NO KEY UPDATE OF c SKIP LOCKED
), whole AS (
  SELECT h.merchant_id, h.card_no, h.sequence, l.sequence IS NOT NULL AS is_locked,
    coalesce(bool_and(h.is_passed OR l.sequence IS NOT NULL) OVER (
      PARTITION BY h.merchant_id, h.card_no ORDER BY h.sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS may_follow
  FROM chosen h LEFT JOIN locked l USING (merchant_id, card_no, sequence)
), claimed AS (
  UPDATE callback c SET lease_until = $4, attempts = c.attempts + 1, waits_since = NULL
  FROM whole w
  WHERE w.is_locked AND w.may_follow AND c.merchant_id = w.merchant_id AND c.card_no = w.card_no AND c.sequence = w.sequence
  RETURNING c.merchant_id, c.callback_id, c.card_no, c.consume_no, c.sequence, c.action, c.data, c.created_at, c.attempts, c.failures,
    c.first_failed_at
)
SELECT c.merchant_id, c.callback_id, c.card_no, c.consume_no, c.sequence, c.action::text, c.data, c.created_at, c.attempts, c.failures,
  c.first_failed_at, NULL::bigint AS blocker, NULL::bigint AS passes_at, q.answer_code AS late_code, q.done_ms AS late_ms, q.told_by
FROM claimed c
LEFT JOIN LATERAL (
  SELECT m.answer_code, m.done_ms, m.told_by FROM merchant_question m
  WHERE c.consume_no <> '' AND m.merchant_id = c.merchant_id AND m.consume_no = c.consume_no AND m.late
    AND m.answer_code IS NOT NULL AND (m.told_by IS NULL OR m.told_by = c.callback_id)
  LIMIT 1
) q ON true
UNION ALL
SELECT l.merchant_id, NULL, l.card_no, '', l.sequence, '', '', 0, 0, 0, NULL, b.sequence, b.passes_at, NULL, NULL, NULL
FROM looked l
CROSS JOIN LATERAL (
  SELECT e.sequence, coalesce(e.first_failed_at, $1) + $6 AS passes_at FROM callback e
  WHERE e.merchant_id = l.merchant_id AND e.card_no = l.card_no AND e.sequence < l.sequence
    AND (e.first_failed_at IS NULL OR e.first_failed_at + $6 > $1)
  ORDER BY e.merchant_id, e.card_no, e.sequence DESC LIMIT 1
) b
WHERE NOT EXISTS (
    SELECT FROM chosen h WHERE h.merchant_id = l.merchant_id AND h.card_no = l.card_no AND h.sequence = l.sequence)
  -- As long as a merchant's line yields all that was asked for, nothing needs to be moved out of the way.
  AND (SELECT count(*) FROM chosen h WHERE h.merchant_id = l.merchant_id) < l.slots`;

interface ClaimRow {
  merchant_id: number;
  callback_id: string | null;
  card_no: string;
  consume_no: string;
  sequence: bigint;
  action: "Consumption" | "Card_update";
  data: string;
  created_at: bigint;
  attempts: number;
  failures: number;
  first_failed_at: bigint | null;
  blocker: bigint | null;
  passes_at: bigint | null;
  late_code: number | null;
  late_ms: number | null;
  told_by: string | null;
}

export async function claimDue(
  sql: Sql,
  { nowMs, shares }: { readonly nowMs: number; readonly shares: readonly Share[] },
): Promise<Claim> {
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
      callbackLimits.lookedAtPerSlot,
      callbackLimits.lookedAtBeside,
    ],
  });
  const claimed: ClaimedPush[] = [];
  const blocked: BlockedPush[] = [];
  const untold: ClaimedPush[] = [];
  for (const row of rows) {
    if (row.callback_id === null) {
      blocked.push({
        merchantId: row.merchant_id,
        cardNo: row.card_no,
        sequence: Number(row.sequence),
        blockerSequence: Number(row.blocker),
        passesAtMs: Number(row.passes_at),
      });
      continue;
    }
    const push = claimedPush({ ...row, callback_id: row.callback_id }, leaseUntilMs);
    (push.lateAnswer !== null && row.told_by === null ? untold : claimed).push(push);
  }
  const told = untold.length === 0 ? [] : await chooseTellers(sql, untold);
  return { claimed: [...claimed, ...told].sort((a, b) => a.sequence - b.sequence), blocked };
}

function claimedPush(row: ClaimRow & { readonly callback_id: string }, leaseUntilMs: number): ClaimedPush {
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
WHERE m.merchant_id = t.merchant_id AND m.consume_no = t.consume_no AND m.told_by IS NULL
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
 * Moves pushes that wait for an earlier one out of the way, so that a card's long line is not looked at again and again. The
 * earlier push is locked while this happens: whoever finishes it comes afterwards and calls the waiting one back, so no push
 * is moved away behind the back of what would wake it. Waits for no lock, so it cannot deadlock.
 */
const parkStatement = `
WITH told AS (
  SELECT * FROM unnest($2::integer[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS t (merchant_id, card_no, sequence, blocker, passes_at)
), blocker AS MATERIALIZED (
  SELECT e.merchant_id, e.card_no, e.sequence
  FROM (SELECT DISTINCT merchant_id, card_no, blocker FROM told) t
  JOIN callback e ON e.merchant_id = t.merchant_id AND e.card_no = t.card_no AND e.sequence = t.blocker
  FOR NO KEY UPDATE OF e SKIP LOCKED
), waiting AS MATERIALIZED (
  SELECT s.merchant_id, s.card_no, s.sequence, t.passes_at
  FROM told t
  JOIN blocker b ON b.merchant_id = t.merchant_id AND b.card_no = t.card_no AND b.sequence = t.blocker
  JOIN callback s ON s.merchant_id = t.merchant_id AND s.card_no = t.card_no AND s.sequence = t.sequence
  WHERE s.due_at <= $1 AND s.lease_until <= $1
  FOR NO KEY UPDATE OF s SKIP LOCKED
)
UPDATE callback s SET due_at = w.passes_at, waits_since = coalesce(s.waits_since, s.due_at) FROM waiting w
WHERE s.merchant_id = w.merchant_id AND s.card_no = w.card_no AND s.sequence = w.sequence`;

/** Returns how many were moved. */
export async function parkBlocked(
  sql: Sql,
  { nowMs, blocked }: { readonly nowMs: number; readonly blocked: readonly BlockedPush[] },
): Promise<number> {
  const { rowCount } = await sql.query({
    name: "callbacks_park",
    text: parkStatement,
    values: [
      nowMs,
      blocked.map((push) => push.merchantId),
      blocked.map((push) => push.cardNo),
      blocked.map((push) => push.sequence),
      blocked.map((push) => push.blockerSequence),
      blocked.map((push) => push.passesAtMs),
    ],
  });
  return rowCount ?? 0;
}
