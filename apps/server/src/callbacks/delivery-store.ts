import type { Sql } from "#database/index.ts";
import type { DueMerchant, Share } from "./fairness.ts";
import { callbackLimits } from "./limits.ts";

/** A push that this process may try until its lease ends. */
export interface ClaimedPush {
  readonly merchantId: number;
  readonly callbackId: string;
  readonly cardNo: string;
  readonly sequence: number;
  readonly action: "Consumption" | "Card_update";
  readonly dataText: string;
  readonly createdAtMs: number;
  /** The number of this try, from 1. */
  readonly attempt: number;
  readonly failures: number;
  readonly firstFailedAtMs: number | null;
  /** The answer to the consumption's question, when it came too late and this is the first push about the consumption since. */
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
  readonly callbackId: string;
  readonly blockerId: string;
  /** When it may pass the earlier one even if that is still open. */
  readonly passesAtMs: number;
}

export interface DueMerchants {
  readonly due: readonly DueMerchant[];
  /** Where the next visit in turn begins. */
  readonly nextAfterMerchantId: number;
}

/**
 * The merchants that have something due: those of the oldest due pushes, and a number of others in turn. The turn steps from
 * merchant to merchant through the index, so one merchant's million due pushes cost one step, and pushes that wait for later
 * cost nothing as long as nothing is due at all.
 */
const dueMerchantsStatement = `
WITH RECURSIVE oldest AS (
  SELECT merchant_id, due_at FROM callback
  WHERE state = 'Due' AND due_at <= $1 AND lease_until <= $1 ORDER BY due_at LIMIT $2
), visited AS (
  (SELECT merchant_id, due_at, 1 AS step FROM callback
   WHERE state = 'Due' AND merchant_id > $3 AND EXISTS (SELECT 1 FROM oldest)
   ORDER BY merchant_id, due_at LIMIT 1)
  UNION ALL
  SELECT n.merchant_id, n.due_at, v.step + 1
  FROM visited v CROSS JOIN LATERAL (
    SELECT c.merchant_id, c.due_at FROM callback c
    WHERE c.state = 'Due' AND c.merchant_id > v.merchant_id ORDER BY c.merchant_id, c.due_at LIMIT 1
  ) n
  WHERE v.step < $4
)
SELECT merchant_id, min(due_at) AS due_at, false AS in_turn FROM oldest GROUP BY merchant_id
UNION ALL
SELECT merchant_id, due_at, true FROM visited`;

export async function findDueMerchants(
  sql: Sql,
  { nowMs, afterMerchantId }: { readonly nowMs: number; readonly afterMerchantId: number },
): Promise<DueMerchants> {
  const { rows } = await sql.query<{ merchant_id: number; due_at: bigint; in_turn: boolean }>({
    name: "callbacks_due_merchants",
    text: dueMerchantsStatement,
    values: [nowMs, callbackLimits.oldestLookedAt, afterMerchantId, callbackLimits.merchantsVisited],
  });
  const dueAtOf = new Map<number, number>();
  for (const { merchant_id, due_at } of rows) {
    if (Number(due_at) <= nowMs) {
      dueAtOf.set(merchant_id, Math.min(Number(due_at), dueAtOf.get(merchant_id) ?? nowMs));
    }
  }
  const visited = rows.filter((row) => row.in_turn).map((row) => row.merchant_id);
  return {
    due: Array.from(dueAtOf, ([merchantId, dueAtMs]) => ({ merchantId, dueAtMs })),
    nextAfterMerchantId: visited.length < callbackLimits.merchantsVisited ? 0 : Math.max(...visited),
  };
}

/**
 * Looks at each merchant's oldest due pushes and claims those that no earlier push of their card holds back. Row locks are
 * only taken on the pushes that are claimed, skipping what another worker has, and the state is checked again under the lock.
 */
const claimStatement = `
WITH share AS (
  SELECT * FROM unnest($2::integer[], $3::integer[]) AS s (merchant_id, slots)
), looked AS MATERIALIZED (
  SELECT d.merchant_id, d.callback_id, d.due_at, d.sequence, s.slots, b.callback_id AS blocker_id, b.passes_at
  FROM share s
  CROSS JOIN LATERAL (
    SELECT c.merchant_id, c.callback_id, c.card_no, c.sequence, c.due_at FROM callback c
    WHERE c.merchant_id = s.merchant_id AND c.state = 'Due' AND c.due_at <= $1 AND c.lease_until <= $1
    ORDER BY c.merchant_id, c.due_at LIMIT s.slots * $5
  ) d
  LEFT JOIN LATERAL (
    SELECT e.callback_id, coalesce(e.first_failed_at, $1) + $6 AS passes_at FROM callback e
    WHERE e.merchant_id = d.merchant_id AND e.card_no = d.card_no AND e.sequence < d.sequence AND e.state = 'Due'
      AND (e.first_failed_at IS NULL OR e.first_failed_at + $6 > $1)
    ORDER BY e.merchant_id, e.card_no, e.sequence DESC LIMIT 1
  ) b ON true
), chosen AS (
  SELECT merchant_id, callback_id FROM (
    SELECT merchant_id, callback_id, slots,
      row_number() OVER (PARTITION BY merchant_id ORDER BY due_at, sequence) AS place
    FROM looked WHERE blocker_id IS NULL
  ) ranked WHERE place <= slots
), locked AS MATERIALIZED (
  SELECT c.merchant_id, c.callback_id FROM chosen JOIN callback c USING (merchant_id, callback_id)
  WHERE c.state = 'Due' AND c.due_at <= $1 AND c.lease_until <= $1
  FOR NO KEY UPDATE OF c SKIP LOCKED
), claimed AS (
  UPDATE callback c SET lease_until = $4, attempts = c.attempts + 1 FROM locked l
  WHERE c.merchant_id = l.merchant_id AND c.callback_id = l.callback_id
  RETURNING c.merchant_id, c.callback_id, c.card_no, c.sequence, c.action, c.data, c.created_at, c.attempts, c.failures,
    c.first_failed_at, c.consume_no
)
SELECT c.merchant_id, c.callback_id, NULL::uuid AS blocker_id, NULL::bigint AS passes_at, c.card_no, c.sequence, c.action, c.data,
  c.created_at, c.attempts, c.failures, c.first_failed_at, q.answer_code AS late_code, q.done_ms AS late_ms
FROM claimed c
LEFT JOIN LATERAL (
  SELECT m.answer_code, m.done_ms FROM merchant_question m
  WHERE c.consume_no <> '' AND m.merchant_id = c.merchant_id AND m.consume_no = c.consume_no AND m.late
    AND m.answer_code IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM callback e
      WHERE e.merchant_id = c.merchant_id AND e.card_no = c.card_no AND e.sequence BETWEEN c.sequence - $7 AND c.sequence - 1
        AND e.consume_no = c.consume_no
    )
  LIMIT 1
) q ON true
UNION ALL
SELECT merchant_id, callback_id, blocker_id, passes_at, '', 0, '', '', 0, 0, 0, NULL, NULL, NULL
FROM looked WHERE blocker_id IS NOT NULL`;

interface ClaimRow {
  merchant_id: number;
  callback_id: string;
  blocker_id: string | null;
  passes_at: bigint | null;
  card_no: string;
  sequence: bigint;
  action: "Consumption" | "Card_update";
  data: string;
  created_at: bigint;
  attempts: number;
  failures: number;
  first_failed_at: bigint | null;
  late_code: number | null;
  late_ms: number | null;
}

/** What was claimed, and what was looked at in vain because an earlier push of the same card is open. */
export interface Claim {
  readonly claimed: readonly ClaimedPush[];
  readonly blocked: readonly BlockedPush[];
}

export async function claimDue(
  sql: Sql,
  { nowMs, shares }: { readonly nowMs: number; readonly shares: readonly Share[] },
): Promise<Claim> {
  const { rows } = await sql.query<ClaimRow>({
    name: "callbacks_claim",
    text: claimStatement,
    values: [
      nowMs,
      shares.map((share) => share.merchantId),
      shares.map((share) => share.slots),
      nowMs + callbackLimits.leaseMs,
      callbackLimits.lookedAtPerSlot,
      callbackLimits.orderPatienceMs,
      callbackLimits.lateAnswerLookBack,
    ],
  });
  const claimed: ClaimedPush[] = [];
  const blocked: BlockedPush[] = [];
  for (const row of rows) {
    if (row.blocker_id === null) {
      claimed.push(claimedPush(row));
    } else {
      blocked.push({
        merchantId: row.merchant_id,
        callbackId: row.callback_id,
        blockerId: row.blocker_id,
        passesAtMs: Number(row.passes_at),
      });
    }
  }
  return { claimed: claimed.sort((a, b) => a.sequence - b.sequence), blocked };
}

function claimedPush(row: ClaimRow): ClaimedPush {
  return {
    merchantId: row.merchant_id,
    callbackId: row.callback_id,
    cardNo: row.card_no,
    sequence: Number(row.sequence),
    action: row.action,
    dataText: row.data,
    createdAtMs: Number(row.created_at),
    attempt: row.attempts,
    failures: row.failures,
    firstFailedAtMs: row.first_failed_at === null ? null : Number(row.first_failed_at),
    lateAnswer:
      row.late_code === null || row.late_ms === null ? null : { code: row.late_code, afterMs: Math.round(row.late_ms) },
  };
}

/**
 * Moves pushes that wait for an earlier one out of the way, so that a card's long line is not looked at again and again. The
 * earlier push is locked while this happens: whoever finishes it comes afterwards and calls the waiting one back, so no push
 * is moved away behind the back of what would wake it. Waits for no lock, so it cannot deadlock.
 */
const parkStatement = `
WITH told AS (
  SELECT * FROM unnest($2::integer[], $3::uuid[], $4::uuid[], $5::bigint[]) AS t (merchant_id, callback_id, blocker_id, passes_at)
), blocker AS MATERIALIZED (
  SELECT e.merchant_id, e.callback_id FROM callback e
  WHERE (e.merchant_id, e.callback_id) IN (SELECT merchant_id, blocker_id FROM told) AND e.state = 'Due'
  FOR NO KEY UPDATE SKIP LOCKED
), waiting AS MATERIALIZED (
  SELECT s.merchant_id, s.callback_id, t.passes_at
  FROM told t
  JOIN blocker b ON b.merchant_id = t.merchant_id AND b.callback_id = t.blocker_id
  JOIN callback s ON s.merchant_id = t.merchant_id AND s.callback_id = t.callback_id
  WHERE s.state = 'Due' AND s.due_at <= $1 AND s.lease_until <= $1
  FOR NO KEY UPDATE OF s SKIP LOCKED
)
UPDATE callback s SET due_at = w.passes_at FROM waiting w
WHERE s.merchant_id = w.merchant_id AND s.callback_id = w.callback_id`;

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
      blocked.map((push) => push.callbackId),
      blocked.map((push) => push.blockerId),
      blocked.map((push) => push.passesAtMs),
    ],
  });
  return rowCount ?? 0;
}
