import type { Sql } from "#database/index.ts";
import type { DueMerchant } from "./fairness.ts";
import { callbackLimits } from "./limits.ts";

export interface DueMerchants {
  readonly due: readonly DueMerchant[];
  /** Where the next look begins; 0 when this one came to the end of all merchants. */
  readonly nextAfterMerchantId: number;
}

/**
 * The next merchants that have anything open, by stepping from merchant to merchant through the index: one merchant's million due
 * pushes cost one step. Whoever is paused or has asked for patience has nothing due.
 */
const dueMerchantsStatement = `
WITH RECURSIVE visited AS (
  (SELECT merchant_id, due_at, 1 AS step FROM callback WHERE merchant_id + 0 > $2 ORDER BY merchant_id + 0, due_at LIMIT 1)
  UNION ALL
  SELECT n.merchant_id, n.due_at, v.step + 1
  FROM visited v CROSS JOIN LATERAL (
    SELECT c.merchant_id, c.due_at FROM callback c WHERE c.merchant_id + 0 > v.merchant_id ORDER BY c.merchant_id + 0, c.due_at LIMIT 1
  ) n
  WHERE v.step < $3
)
SELECT v.merchant_id, v.due_at, v.due_at <= $1 AND coalesce(e.paused_by, '') = '' AND coalesce(e.held_until, 0) <= $1 AS is_due
FROM visited v LEFT JOIN callback_endpoint e USING (merchant_id) ORDER BY v.merchant_id`;

export async function findDueMerchants(
  sql: Sql,
  { nowMs, afterMerchantId }: { readonly nowMs: number; readonly afterMerchantId: number },
): Promise<DueMerchants> {
  const { rows } = await sql.query<{ merchant_id: number; due_at: bigint; is_due: boolean }>({
    name: "callbacks_due_merchants",
    text: dueMerchantsStatement,
    values: [nowMs, afterMerchantId, callbackLimits.merchantsVisited],
  });
  return {
    due: rows.filter((row) => row.is_due).map((row) => ({ merchantId: row.merchant_id, dueAtMs: Number(row.due_at) })),
    nextAfterMerchantId: rows.length < callbackLimits.merchantsVisited ? 0 : (rows.at(-1)?.merchant_id ?? 0),
  };
}

/** Every merchant that has anything open, found by the same steps. */
export const openMerchants = `
WITH RECURSIVE merchant AS (
  (SELECT merchant_id FROM callback ORDER BY merchant_id LIMIT 1)
  UNION ALL
  SELECT n.merchant_id FROM merchant m CROSS JOIN LATERAL (
    SELECT c.merchant_id FROM callback c WHERE c.merchant_id > m.merchant_id ORDER BY c.merchant_id LIMIT 1
  ) n
)`;

/** The earliest moment after `afterMs` at which a push becomes due that somebody may try. */
export async function nextDueAt(sql: Sql, { afterMs }: { readonly afterMs: number }): Promise<number | null> {
  const { rows } = await sql.query<{ due_at: bigint | null }>(
    `${openMerchants}
     SELECT min(d.due_at) AS due_at FROM merchant m LEFT JOIN callback_endpoint e USING (merchant_id)
     CROSS JOIN LATERAL (
       SELECT c.due_at FROM callback c WHERE c.merchant_id + 0 = m.merchant_id AND c.due_at > $1 ORDER BY c.merchant_id + 0, c.due_at LIMIT 1
     ) d
     WHERE coalesce(e.paused_by, '') = ''`,
    [afterMs],
  );
  const dueAt = rows[0]?.due_at ?? null;
  return dueAt === null ? null : Number(dueAt);
}

/** Whether a worker has a due push now; of each merchant the latest due ones are looked at. */
export async function isBeingTried(sql: Sql, { nowMs }: { readonly nowMs: number }): Promise<boolean> {
  const { rowCount } = await sql.query(
    `${openMerchants}
     SELECT 1 FROM merchant m CROSS JOIN LATERAL (
       SELECT c.lease_until FROM callback c WHERE c.merchant_id + 0 = m.merchant_id AND c.due_at <= $1
       ORDER BY c.merchant_id + 0, c.due_at DESC LIMIT $2
     ) d
     WHERE d.lease_until > $1 LIMIT 1`,
    [nowMs, callbackLimits.othersTryRows],
  );
  return rowCount === 1;
}
