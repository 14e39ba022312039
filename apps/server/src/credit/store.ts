import type { TransactionStatus, TransferType } from "@cardwright/contract";
import type { Sql } from "#database/index.ts";

/** A transfer of credit; amounts in minor units. */
export interface StoredTransfer {
  readonly merchantId: number;
  readonly transferNo: string;
  readonly transferUniqueNo: string;
  readonly cardholderNo: string;
  readonly type: TransferType;
  readonly amount: bigint;
  readonly beforeBalance: bigint;
  readonly afterBalance: bigint;
  readonly status: TransactionStatus;
  /** Unix ms. */
  readonly createdAt: number;
}

interface TransferRow {
  merchant_id: number;
  transfer_no: string;
  transfer_unique_no: string;
  cardholder_no: string;
  type: TransferType;
  amount: bigint;
  before_balance: bigint;
  after_balance: bigint;
  status: TransactionStatus;
  created_at: bigint;
}

const columns =
  "merchant_id, transfer_no, transfer_unique_no, cardholder_no, type, amount, before_balance, after_balance, status, created_at";

function toTransfer(row: TransferRow): StoredTransfer {
  return {
    merchantId: row.merchant_id,
    transferNo: row.transfer_no,
    transferUniqueNo: row.transfer_unique_no,
    cardholderNo: row.cardholder_no,
    type: row.type,
    amount: row.amount,
    beforeBalance: row.before_balance,
    afterBalance: row.after_balance,
    status: row.status,
    createdAt: Number(row.created_at),
  };
}

/** False when the merchant has used the unique number already. */
export async function insertTransfer(sql: Sql, transfer: StoredTransfer): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO credit_transfer (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT (merchant_id, transfer_unique_no) DO NOTHING`,
    [
      transfer.merchantId,
      transfer.transferNo,
      transfer.transferUniqueNo,
      transfer.cardholderNo,
      transfer.type,
      transfer.amount,
      transfer.beforeBalance,
      transfer.afterBalance,
      transfer.status,
      transfer.createdAt,
    ],
  );
  return rowCount === 1;
}

export async function selectByUniqueNo(
  sql: Sql,
  key: { readonly merchantId: number; readonly transferUniqueNo: string },
): Promise<StoredTransfer | null> {
  const { rows } = await sql.query<TransferRow>({
    name: "credit_transfer_by_unique_no",
    text: `SELECT ${columns} FROM credit_transfer WHERE merchant_id = $1 AND transfer_unique_no = $2`,
    values: [key.merchantId, key.transferUniqueNo],
  });
  const row = rows[0];
  return row === undefined ? null : toTransfer(row);
}

export interface TransferFilter {
  readonly merchantId: number;
  readonly cardholderNo: string | null;
  readonly transferNo: string | null;
  readonly transferUniqueNo: string | null;
  readonly fromNumber: string;
  readonly beforeNumber: string;
  readonly offset: number;
  readonly limit: number;
}

/** Newest first by a walk down the key: the number sorts by time, so period and order are one range of it. */
export async function selectTransfers(sql: Sql, filter: TransferFilter): Promise<StoredTransfer[]> {
  const conditions = ["merchant_id = $1", "transfer_no >= $2", "transfer_no < $3"];
  const values: unknown[] = [filter.merchantId, filter.fromNumber, filter.beforeNumber];
  for (const [column, value] of [
    ["cardholder_no", filter.cardholderNo],
    ["transfer_no", filter.transferNo],
    ["transfer_unique_no", filter.transferUniqueNo],
  ] as const) {
    if (value !== null) {
      values.push(value);
      conditions.push(`${column} = $${values.length}`);
    }
  }
  values.push(filter.limit, filter.offset);
  const { rows } = await sql.query<TransferRow>(
    `SELECT ${columns} FROM credit_transfer
     JOIN (
       SELECT merchant_id, transfer_no FROM credit_transfer WHERE ${conditions.join(" AND ")}
       ORDER BY transfer_no DESC LIMIT $${values.length - 1} OFFSET $${values.length}
     ) page USING (merchant_id, transfer_no)
     ORDER BY transfer_no DESC`,
    values,
  );
  return rows.map(toTransfer);
}
