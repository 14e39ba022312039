import type { Sql } from "#database/index.ts";
import type {
  AdjustmentCategory,
  AdjustmentDirection,
  ReserveOrder,
  ReserveOrderContent,
  ReserveOrderFilter,
  ReserveOrderKind,
  ReserveOrderStatus,
} from "./order.ts";

interface OrderRow {
  merchant_id: number;
  merchant_no: string;
  order_no: string;
  kind: ReserveOrderKind;
  direction: AdjustmentDirection;
  amount: bigint;
  destination: string;
  category: AdjustmentCategory | "";
  reason: string;
  reference: string;
  status: ReserveOrderStatus;
  asked_by: string;
  decided_by: string | null;
  created_at: bigint;
  decided_at: bigint | null;
}

const selectOrder = `SELECT o.merchant_id, m.merchant_no, o.order_no, o.kind, o.direction, o.amount, o.destination, o.category,
    o.reason, o.reference, o.status, o.asked_by, o.decided_by, o.created_at, o.decided_at
  FROM reserve_order o JOIN merchant m USING (merchant_id)`;

function toOrder(row: OrderRow): ReserveOrder {
  return {
    merchantId: row.merchant_id,
    merchantNo: row.merchant_no,
    orderNo: row.order_no,
    kind: row.kind,
    direction: row.direction,
    amount: row.amount,
    destination: row.destination,
    category: row.category,
    reason: row.reason,
    reference: row.reference,
    status: row.status,
    askedBy: row.asked_by,
    decidedBy: row.decided_by,
    createdAt: Number(row.created_at),
    decidedAt: row.decided_at === null ? null : Number(row.decided_at),
  };
}

/** False when the merchant has used the reference before; waits for a transaction that is just using it. */
export async function insertOrder(
  sql: Sql,
  order: ReserveOrderContent & { orderNo: string; askedBy: string; createdAt: number },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO reserve_order (merchant_id, order_no, kind, direction, amount, destination, category, reason, reference, asked_by,
       created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (merchant_id, reference) DO NOTHING`,
    [
      order.merchantId,
      order.orderNo,
      order.kind,
      order.direction,
      order.amount,
      order.destination,
      order.category,
      order.reason,
      order.reference,
      order.askedBy,
      order.createdAt,
    ],
  );
  return rowCount === 1;
}

export async function selectOrderByReference(
  sql: Sql,
  key: { merchantId: number; reference: string },
): Promise<ReserveOrder | null> {
  const { rows } = await sql.query<OrderRow>(`${selectOrder} WHERE o.merchant_id = $1 AND o.reference = $2`, [
    key.merchantId,
    key.reference,
  ]);
  return rows[0] === undefined ? null : toOrder(rows[0]);
}

export async function selectOrderByNo(sql: Sql, orderNo: string): Promise<ReserveOrder | null> {
  const { rows } = await sql.query<OrderRow>(`${selectOrder} WHERE o.order_no = $1`, [orderNo]);
  return rows[0] === undefined ? null : toOrder(rows[0]);
}

/** Newest first: numbers of one kind sort by time, and of two kinds the time itself decides. */
export async function selectOrders(sql: Sql, filter: ReserveOrderFilter): Promise<ReserveOrder[]> {
  const { rows } = await sql.query<OrderRow>(
    `${selectOrder}
     WHERE ($1::integer IS NULL OR o.merchant_id = $1) AND ($2::text IS NULL OR o.kind = $2) AND ($3::text IS NULL OR o.status = $3)
     ORDER BY o.created_at DESC, o.order_no DESC LIMIT $4 OFFSET $5`,
    [filter.merchantId ?? null, filter.kind ?? null, filter.status ?? null, filter.size, filter.page * filter.size],
  );
  return rows.map(toOrder);
}

/** True for the one caller that decided; everybody else finds the order decided. */
export async function decideOrder(
  sql: Sql,
  decision: {
    merchantId: number;
    orderNo: string;
    status: "Booked" | "Cancelled";
    decidedBy: string;
    decidedAt: number;
  },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE reserve_order SET status = $3, decided_by = $4, decided_at = $5
     WHERE merchant_id = $1 AND order_no = $2 AND status = 'Pending'`,
    [decision.merchantId, decision.orderNo, decision.status, decision.decidedBy, decision.decidedAt],
  );
  return rowCount === 1;
}
