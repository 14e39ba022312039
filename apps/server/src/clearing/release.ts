import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import type { Clock } from "#kernel/index.ts";
import { nextHoldExpiry } from "#ledger/index.ts";
import { openDesk } from "./desk.ts";
import { endHold } from "./held.ts";
import { bounds } from "./limits.ts";
import { lockCard } from "./locked-card.ts";
import { schedulesOf, type TermsOf } from "./schedules.ts";
import { type CardTransaction, selectTransaction } from "./transaction-store.ts";

export interface ReleaseDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly terms: TermsOf;
}

interface RunOut {
  readonly merchantId: number;
  readonly cardNo: string;
  readonly consumeNo: string;
}

/**
 * Ends what has waited for its clearing in vain, the oldest first: approvals whose hold has run out, and refunds that were authorized 30
 * days ago. It is written as of the moment that it was due, so that catching up after a downtime gives the same books as having been
 * there. Any number of workers may do it at once: the card's lock and the stage in the row let each end once. `until` (Unix ms) leaves later
 * ones; now when absent. Answers how many ended.
 */
export async function releaseExpired(deps: ReleaseDeps, until?: number): Promise<number> {
  const now = until ?? deps.clock.now();
  const due = [...(await selectRunOut(deps.pool, now)), ...(await selectOldRefunds(deps.pool, now))];
  let released = 0;
  let failure: unknown = null;
  for (const runOut of due) {
    try {
      released += (await releaseOne(deps, runOut, now)) ? 1 : 0;
    } catch (error) {
      // One that cannot be ended must not keep the others from it; it is reported when they are done.
      failure ??= error;
    }
  }
  if (failure !== null) {
    throw failure;
  }
  return released;
}

export async function nextExpiry(sql: Sql, after: number): Promise<number | null> {
  const hold = await nextHoldExpiry(sql, after);
  const { rows } = await sql.query<{ created_at: bigint }>({
    name: "clearing_next_old_refund",
    text: `SELECT created_at FROM consumption WHERE type = 'Refund' AND status = 'Pending' AND created_at > $1
           ORDER BY created_at LIMIT 1`,
    values: [after - bounds.refundPendingMs],
  });
  const refund = rows[0] === undefined ? null : Number(rows[0].created_at) + bounds.refundPendingMs;
  return hold === null || refund === null ? (hold ?? refund) : Math.min(hold, refund);
}

async function selectRunOut(sql: Sql, now: number): Promise<RunOut[]> {
  const { rows } = await sql.query<RunOut & Record<string, unknown>>({
    name: "clearing_run_out",
    text: `SELECT p.merchant_id AS "merchantId", p.card_no AS "cardNo", p.consume_no AS "consumeNo"
           FROM ledger.hold h
           JOIN consumption p ON p.merchant_id = h.merchant_id AND p.consume_no = h.reference AND p.stage = 'held'
           WHERE h.line = 1 AND h.expires_at <= $1
           ORDER BY h.expires_at, h.hold_id LIMIT $2`,
    values: [now, bounds.expiredBatchMax],
  });
  return rows;
}

async function selectOldRefunds(sql: Sql, now: number): Promise<RunOut[]> {
  const { rows } = await sql.query<RunOut & Record<string, unknown>>({
    name: "clearing_old_refunds",
    text: `SELECT merchant_id AS "merchantId", card_no AS "cardNo", consume_no AS "consumeNo"
           FROM consumption WHERE type = 'Refund' AND status = 'Pending' AND created_at <= $1
           ORDER BY created_at LIMIT $2`,
    values: [now - bounds.refundPendingMs, bounds.expiredBatchMax],
  });
  return rows;
}

async function releaseOne(deps: ReleaseDeps, runOut: RunOut, now: number): Promise<boolean> {
  const schedules = await schedulesOf(deps, runOut);
  if (schedules === null) {
    throw new Error(`consumption ${runOut.consumeNo} is of an unknown card`);
  }
  return inTransaction(deps.pool, async (sql) => {
    const card = await lockCard(sql, runOut);
    const transaction = card === null ? null : await selectTransaction(sql, runOut);
    const at = transaction === null ? null : await endOf(sql, transaction);
    if (card === null || transaction === null || at === null || at > now) {
      return false;
    }
    const desk = await openDesk({ sql, card, schedules, at, noticedAt: now });
    await endHold(desk, transaction, { kind: "expire", remark: "expired" });
    return true;
  });
}

/** When an open consumption runs out, Unix ms; null for one that is over. The card must be locked. */
async function endOf(sql: Sql, transaction: CardTransaction): Promise<number | null> {
  const { type, status, stage, merchantId, holdId, createdAt } = transaction;
  if (type === "Refund") {
    return status === "Pending" ? createdAt + bounds.refundPendingMs : null;
  }
  if (stage !== "held") {
    return null;
  }
  const { rows } = await sql.query<{ expires_at: bigint }>({
    name: "clearing_hold_end",
    text: "SELECT expires_at FROM ledger.hold WHERE merchant_id = $1 AND hold_id = $2 AND line = 1",
    values: [merchantId, holdId],
  });
  return rows[0] === undefined ? null : Number(rows[0].expires_at);
}
