import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import type { Clock } from "#kernel/index.ts";
import { bounds } from "./limits.ts";
import { clearedLocal, selectParts } from "./local-amount.ts";
import { lockCard } from "./locked-card.ts";
import { withIncrements } from "./original.ts";
import { schedulesOf, type TermsOf } from "./schedules.ts";
import { type Desk, isHeld, openDesk, settle } from "./settle.ts";
import { type CardTransaction, selectTransaction } from "./transaction-store.ts";

export interface RunOutDeps {
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
 * Ends partly cleared purchases whose hold has run out: they are `Success` with what was cleared, and the rest is available again.
 * Any number of workers may do it at once: the card's lock and the stage let each be ended once. Answers how many were.
 */
export async function releasePartlyCleared(deps: RunOutDeps): Promise<number> {
  const now = deps.clock.now();
  const due = await selectRunOut(deps.pool, { now, limit: bounds.releaseBatchMax });
  let ended = 0;
  for (const each of due) {
    ended += (await endOne(deps, each)) ? 1 : 0;
  }
  return ended;
}

async function endOne(deps: RunOutDeps, key: RunOut): Promise<boolean> {
  const schedules = await schedulesOf(deps, key);
  return inTransaction(deps.pool, async (sql) => {
    const card = await lockCard(sql, key);
    const transaction = await selectTransaction(sql, key);
    if (card === null || schedules === null || transaction === null || !isPartlyCleared(transaction)) {
      return false;
    }
    await endPartlyCleared(await openDesk({ sql, card, schedules, at: deps.clock.now() }), transaction);
    return true;
  });
}

/** Whether a part of it was cleared and the rest is still held: its end is a success, whatever ends it. */
export const isPartlyCleared = (transaction: CardTransaction): boolean =>
  isHeld(transaction) && transaction.clearedAmount > 0n;

/** Ends a partly cleared purchase with what was cleared, its fees recomputed from that. The card must be locked. */
export async function endPartlyCleared(desk: Desk, transaction: CardTransaction): Promise<CardTransaction> {
  const { sql } = desk;
  const { merchantId, consumeRelateNo } = transaction;
  const related =
    consumeRelateNo === "" ? null : await selectTransaction(sql, { merchantId, consumeNo: consumeRelateNo });
  const root = related ?? transaction;
  const members = await withIncrements(sql, root);
  const parts = await selectParts(sql, { merchantId, originalReference: root.networkReference });
  const weights = members.map(({ clearedAmount }) => clearedAmount);
  const of = members.findIndex(({ consumeNo }) => consumeNo === transaction.consumeNo);
  const localAmount = clearedLocal(transaction, parts, { of, weights });
  return settle(desk, transaction, { share: 0n, final: true, remark: null, exchange: null, localAmount });
}

async function selectRunOut(sql: Sql, options: { readonly now: number; readonly limit: number }): Promise<RunOut[]> {
  const { rows } = await sql.query<RunOut>({
    name: "clearing_partly_run_out",
    text: `SELECT p.merchant_id AS "merchantId", p.card_no AS "cardNo", p.consume_no AS "consumeNo"
           FROM ledger.hold h
           JOIN consumption p ON p.merchant_id = h.merchant_id AND p.consume_no = h.reference AND p.stage = 'held'
             AND p.cleared_amount > 0
           WHERE h.line = 1 AND h.expires_at <= $1
           ORDER BY h.expires_at LIMIT $2`,
    values: [options.now, options.limit],
  });
  return rows;
}
