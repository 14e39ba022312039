import type { ConsumptionType, FeeType, TransactionStatus } from "@cardwright/contract";
import type { Sql } from "#database/index.ts";
import type { Consumption, FeeRow } from "./consumption.ts";

interface ConsumptionRow {
  consume_no: string;
  consume_relate_no: string;
  card_no: string;
  cardholder_no: string;
  type: ConsumptionType;
  status: TransactionStatus;
  amount: bigint;
  fee: bigint;
  fee_rows: [FeeType, string][];
  local_amount: string;
  local_currency: string;
  remark: string;
  detail: string;
  merchant_name: string;
  merchant_mcc: string;
  merchant_city: string;
  merchant_country: string;
  created_at: bigint;
}

const columns = `consume_no, consume_relate_no, card_no, cardholder_no, type, status, amount, fee, fee_rows, local_amount, local_currency,
  remark, detail, merchant_name, merchant_mcc, merchant_city, merchant_country, created_at`;

function toConsumption(row: ConsumptionRow): Consumption {
  return {
    consumeNo: row.consume_no,
    consumeRelateNo: row.consume_relate_no,
    cardNo: row.card_no,
    cardholderNo: row.cardholder_no,
    type: row.type,
    status: row.status,
    amount: row.amount,
    fee: row.fee,
    feeRows: row.fee_rows.map(([feeType, amount]) => ({ feeType, amount: BigInt(amount) })),
    localAmount: row.local_amount,
    localCurrency: row.local_currency,
    remark: row.remark,
    detail: row.detail,
    acceptor: {
      name: row.merchant_name,
      mcc: row.merchant_mcc,
      city: row.merchant_city,
      country: row.merchant_country,
    },
    createdAt: Number(row.created_at),
  };
}

/** Fee rows as the table keeps them. */
export function feeRowsJson(rows: readonly FeeRow[]): string {
  return JSON.stringify(rows.map((row) => [row.feeType, row.amount.toString()]));
}

/** A consumption that is over when it is made: a fee taken by itself, a refund. */
export async function insertDone(
  sql: Sql,
  c: Consumption & { readonly merchantId: number; readonly creditTotal: bigint; readonly reserveTotal: bigint },
): Promise<void> {
  await sql.query(
    `INSERT INTO consumption (merchant_id, consume_no, consume_relate_no, card_no, cardholder_no, type, status, stage, amount, fee, fee_rows,
       credit_total, reserve_total, local_amount, local_currency, remark, detail, merchant_name, merchant_mcc, merchant_city,
       merchant_country, created_at, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, 'done', $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $21)`,
    [
      c.merchantId,
      c.consumeNo,
      c.consumeRelateNo,
      c.cardNo,
      c.cardholderNo,
      c.type,
      c.status,
      c.amount,
      c.fee,
      feeRowsJson(c.feeRows),
      c.creditTotal,
      c.reserveTotal,
      c.localAmount,
      c.localCurrency,
      c.remark,
      c.detail,
      c.acceptor.name,
      c.acceptor.mcc,
      c.acceptor.city,
      c.acceptor.country,
      c.createdAt,
    ],
  );
}

export async function selectOne(sql: Sql, key: { merchantId: number; consumeNo: string }): Promise<Consumption | null> {
  const { rows } = await sql.query<ConsumptionRow>({
    name: "consumption_one",
    text: `SELECT ${columns} FROM consumption WHERE merchant_id = $1 AND consume_no = $2`,
    values: [key.merchantId, key.consumeNo],
  });
  const row = rows[0];
  return row === undefined ? null : toConsumption(row);
}

/** The number of a card's `Open_card` consumption; null for a card that cost nothing. */
export async function findOpening(sql: Sql, card: { merchantId: number; cardNo: string }): Promise<string | null> {
  const { rows } = await sql.query<{ consume_no: string }>(
    `SELECT consume_no FROM consumption WHERE merchant_id = $1 AND card_no = $2 AND type = 'Open_card' ORDER BY consume_no LIMIT 1`,
    [card.merchantId, card.cardNo],
  );
  return rows[0]?.consume_no ?? null;
}

export interface ConsumptionFilter {
  readonly merchantId: number;
  readonly cardholderNo: string | null;
  readonly cardNo: string | null;
  readonly consumeNo: string | null;
  /** Numbers from the first of the period (inclusive) to the first after it (exclusive). */
  readonly fromNumber: string;
  readonly beforeNumber: string;
  readonly offset: number;
  readonly limit: number;
}

/**
 * Newest first by a walk down the index that fits the filter: the number sorts by time, so period and order are one range of
 * it. The cost of a page depends on how deep it is, not on how much lies outside the filter: the walk reads the index alone, and
 * only the rows of the page are fetched (22.7 ms against 3.8 at an offset of 25,000 among 20 merchants).
 */
export async function selectPage(sql: Sql, filter: ConsumptionFilter): Promise<Consumption[]> {
  const conditions = ["merchant_id = $1", "consume_no >= $2", "consume_no < $3"];
  const values: unknown[] = [filter.merchantId, filter.fromNumber, filter.beforeNumber];
  for (const [column, value] of [
    ["cardholder_no", filter.cardholderNo],
    ["card_no", filter.cardNo],
    ["consume_no", filter.consumeNo],
  ] as const) {
    if (value !== null) {
      values.push(value);
      conditions.push(`${column} = $${values.length}`);
    }
  }
  values.push(filter.limit, filter.offset);
  const { rows } = await sql.query<ConsumptionRow>(
    `SELECT ${columns} FROM consumption
     JOIN (
       SELECT merchant_id, consume_no FROM consumption WHERE ${conditions.join(" AND ")}
       ORDER BY consume_no DESC LIMIT $${values.length - 1} OFFSET $${values.length}
     ) page USING (merchant_id, consume_no)
     ORDER BY consume_no DESC`,
    values,
  );
  return rows.map(toConsumption);
}
