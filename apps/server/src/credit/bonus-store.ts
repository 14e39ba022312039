import type { TransferType } from "@cardwright/contract";
import type { Sql } from "#database/index.ts";

/** Bonus credit that was given to a cardholder or taken back; minor units. */
export interface BonusGrant {
  readonly merchantId: number;
  readonly bonusNo: string;
  readonly reference: string;
  readonly cardholderNo: string;
  readonly type: TransferType;
  readonly amount: bigint;
  readonly reason: string;
  /** Unix ms. */
  readonly createdAt: number;
}

interface BonusRow {
  merchant_id: number;
  bonus_no: string;
  reference: string;
  cardholder_no: string;
  type: TransferType;
  amount: bigint;
  reason: string;
  created_at: bigint;
}

const columns = "merchant_id, bonus_no, reference, cardholder_no, type, amount, reason, created_at";

function toGrant(row: BonusRow): BonusGrant {
  return {
    merchantId: row.merchant_id,
    bonusNo: row.bonus_no,
    reference: row.reference,
    cardholderNo: row.cardholder_no,
    type: row.type,
    amount: row.amount,
    reason: row.reason,
    createdAt: Number(row.created_at),
  };
}

/** False when the reference is there already. */
export async function insertBonus(sql: Sql, grant: BonusGrant): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO bonus_grant (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (merchant_id, reference) DO NOTHING`,
    [
      grant.merchantId,
      grant.bonusNo,
      grant.reference,
      grant.cardholderNo,
      grant.type,
      grant.amount,
      grant.reason,
      grant.createdAt,
    ],
  );
  return rowCount === 1;
}

export async function selectBonusByReference(
  sql: Sql,
  key: { readonly merchantId: number; readonly reference: string },
): Promise<BonusGrant | null> {
  const { rows } = await sql.query<BonusRow>(
    `SELECT ${columns} FROM bonus_grant WHERE merchant_id = $1 AND reference = $2`,
    [key.merchantId, key.reference],
  );
  return rows[0] === undefined ? null : toGrant(rows[0]);
}

/** Newest first: the numbers sort by time. */
export async function selectBonuses(
  sql: Sql,
  filter: {
    readonly merchantId: number;
    readonly cardholderNo: string;
    readonly page: number;
    readonly size: number;
  },
): Promise<BonusGrant[]> {
  const { rows } = await sql.query<BonusRow>(
    `SELECT ${columns} FROM bonus_grant WHERE merchant_id = $1 AND cardholder_no = $2
     ORDER BY bonus_no DESC LIMIT $3 OFFSET $4`,
    [filter.merchantId, filter.cardholderNo, filter.size, filter.page * filter.size],
  );
  return rows.map(toGrant);
}
