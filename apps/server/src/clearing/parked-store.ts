import type { CardAcceptor } from "#consumptions/index.ts";
import type { Sql } from "#database/index.ts";
import type { Exchange } from "./billing.ts";

export const parkedStatuses = ["Open", "Released", "KeptForMerchant", "KeptForPlatform"] as const;
export type ParkedStatus = (typeof parkedStatuses)[number];

/** A refund of more than there was left of its purchase. Amounts in minor units of the card's currency. */
export interface ParkedRefund extends Exchange {
  readonly merchantId: number;
  readonly merchantNo: string;
  readonly parkedNo: string;
  readonly networkReference: string;
  readonly cardNo: string;
  readonly cardholderNo: string;
  readonly purchaseNo: string;
  /** The Refund consumption; empty while there is none. */
  readonly consumeNo: string;
  readonly amount: bigint;
  /** What was left of the purchase when it came. */
  readonly refundable: bigint;
  readonly localAmount: string;
  readonly localCurrency: string;
  readonly acceptor: CardAcceptor;
  readonly status: ParkedStatus;
  readonly note: string;
  /** Unix ms. */
  readonly createdAt: number;
  readonly resolvedAt: number | null;
}

interface Row {
  merchant_id: number;
  merchant_no: string;
  parked_no: string;
  network_reference: string;
  card_no: string;
  cardholder_no: string;
  purchase_no: string;
  consume_no: string;
  amount: bigint;
  refundable: bigint;
  local_amount: string;
  local_currency: string;
  exchange_rate: string;
  exchange_source: string;
  exchange_at: bigint | null;
  merchant_name: string;
  merchant_mcc: string;
  merchant_city: string;
  merchant_country: string;
  status: ParkedStatus;
  note: string;
  created_at: bigint;
  resolved_at: bigint | null;
}

const toParked = (row: Row): ParkedRefund => ({
  merchantId: row.merchant_id,
  merchantNo: row.merchant_no,
  parkedNo: row.parked_no,
  networkReference: row.network_reference,
  cardNo: row.card_no,
  cardholderNo: row.cardholder_no,
  purchaseNo: row.purchase_no,
  consumeNo: row.consume_no,
  amount: row.amount,
  refundable: row.refundable,
  localAmount: row.local_amount,
  localCurrency: row.local_currency,
  exchangeRate: row.exchange_rate,
  exchangeSource: row.exchange_source,
  exchangeAt: row.exchange_at === null ? null : Number(row.exchange_at),
  acceptor: {
    name: row.merchant_name,
    mcc: row.merchant_mcc,
    city: row.merchant_city,
    country: row.merchant_country,
  },
  status: row.status,
  note: row.note,
  createdAt: Number(row.created_at),
  resolvedAt: row.resolved_at === null ? null : Number(row.resolved_at),
});

const select = "SELECT p.*, m.merchant_no FROM parked_refund p JOIN merchant m USING (merchant_id)";

export async function insertParked(sql: Sql, parked: Omit<ParkedRefund, "merchantNo">): Promise<void> {
  await sql.query(
    `INSERT INTO parked_refund (merchant_id, parked_no, network_reference, card_no, cardholder_no, purchase_no, consume_no, amount,
       refundable, local_amount, local_currency, exchange_rate, exchange_source, exchange_at, merchant_name, merchant_mcc, merchant_city,
       merchant_country, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
    [
      parked.merchantId,
      parked.parkedNo,
      parked.networkReference,
      parked.cardNo,
      parked.cardholderNo,
      parked.purchaseNo,
      parked.consumeNo,
      parked.amount,
      parked.refundable,
      parked.localAmount,
      parked.localCurrency,
      parked.exchangeRate,
      parked.exchangeSource,
      parked.exchangeAt,
      parked.acceptor.name,
      parked.acceptor.mcc,
      parked.acceptor.city,
      parked.acceptor.country,
      parked.createdAt,
    ],
  );
}

export async function selectParked(sql: Sql, parkedNo: string): Promise<ParkedRefund | null> {
  const { rows } = await sql.query<Row>(`${select} WHERE p.parked_no = $1`, [parkedNo]);
  return rows[0] === undefined ? null : toParked(rows[0]);
}

export interface ParkedFilter {
  readonly merchantId?: number;
  readonly status?: ParkedStatus;
  /** From zero. */
  readonly page: number;
  readonly size: number;
}

/** Newest first: the numbers sort by time. */
export async function selectParkedPage(sql: Sql, filter: ParkedFilter): Promise<ParkedRefund[]> {
  const { rows } = await sql.query<Row>(
    `${select} WHERE ($1::integer IS NULL OR p.merchant_id = $1) AND ($2::text IS NULL OR p.status = $2)
     ORDER BY p.parked_no DESC LIMIT $3 OFFSET $4`,
    [filter.merchantId ?? null, filter.status ?? null, filter.size, filter.page * filter.size],
  );
  return rows.map(toParked);
}

/** True for the one caller that resolved it; everybody else finds it resolved. */
export async function resolveParked(
  sql: Sql,
  resolved: Pick<ParkedRefund, "merchantId" | "parkedNo" | "status" | "note" | "consumeNo"> & { readonly at: number },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE parked_refund SET status = $3, note = $4, consume_no = $5, resolved_at = $6
     WHERE merchant_id = $1 AND parked_no = $2 AND status = 'Open'`,
    [resolved.merchantId, resolved.parkedNo, resolved.status, resolved.note, resolved.consumeNo, resolved.at],
  );
  return rowCount === 1;
}
