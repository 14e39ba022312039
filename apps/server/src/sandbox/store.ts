import type { CardKey, MakingState } from "#cards/index.ts";
import type { Sql } from "#database/index.ts";

/** What an order's row can say. */
export type OrderState = Exclude<MakingState, "unknown">;

/** Milliseconds that the sandbox's clock is ahead. */
export async function selectClockOffset(sql: Sql): Promise<number> {
  const { rows } = await sql.query<{ offset_ms: bigint }>({
    name: "sandbox_clock",
    text: "SELECT offset_ms FROM sandbox_clock",
  });
  return offsetOf(rows);
}

/** Moves the clock on and answers the new offset; null when it would be further ahead than `offsetMsMax`. */
export async function addToClockOffset(
  sql: Sql,
  step: { readonly ms: number; readonly offsetMsMax: number },
): Promise<number | null> {
  const { rows } = await sql.query<{ offset_ms: bigint }>(
    "UPDATE sandbox_clock SET offset_ms = offset_ms + $1 WHERE offset_ms + $1 <= $2 RETURNING offset_ms",
    [step.ms, step.offsetMsMax],
  );
  return rows.length === 0 ? null : offsetOf(rows);
}

function offsetOf(rows: readonly { readonly offset_ms: bigint }[]): number {
  const [row] = rows;
  if (row === undefined) {
    throw new Error("the sandbox's clock has no row");
  }
  return Number(row.offset_ms);
}

/** A repeat, and an order whose state somebody has told already, changes nothing. */
export async function insertOrder(
  sql: Sql,
  order: CardKey & { readonly state: OrderState; readonly at: number },
): Promise<void> {
  await sql.query(
    `INSERT INTO sandbox_card_order (merchant_id, card_no, state, ordered_at, changed_at) VALUES ($1, $2, $3, $4, $4)
     ON CONFLICT (merchant_id, card_no) DO NOTHING`,
    [order.merchantId, order.cardNo, order.state, order.at],
  );
}

export async function selectOrderState(sql: Sql, key: CardKey): Promise<OrderState | null> {
  const { rows } = await sql.query<{ state: OrderState }>(
    "SELECT state FROM sandbox_card_order WHERE merchant_id = $1 AND card_no = $2",
    [key.merchantId, key.cardNo],
  );
  return rows[0]?.state ?? null;
}

/** Changes an order that is in one of `from`, or makes it when the worker has not ordered the card yet; false when it is in neither. */
export async function changeOrder(
  sql: Sql,
  change: CardKey & { readonly state: OrderState; readonly from: readonly OrderState[]; readonly at: number },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO sandbox_card_order AS o (merchant_id, card_no, state, ordered_at, changed_at) VALUES ($1, $2, $3, $5, $5)
     ON CONFLICT (merchant_id, card_no) DO UPDATE SET state = EXCLUDED.state, changed_at = EXCLUDED.changed_at
     WHERE o.state = ANY ($4)`,
    [change.merchantId, change.cardNo, change.state, change.from, change.at],
  );
  return rowCount === 1;
}
