import type { Consumption } from "#consumptions/index.ts";
import { feeRowsJson } from "#consumptions/index.ts";
import type { Sql } from "#database/index.ts";
import type { SmallDecision } from "#fees/index.ts";
import { columns, type Row, toTransaction, valuesOf } from "./transaction-row.ts";

/** A consumption with everything that clearing must know of it. Amounts in minor units of the card's currency. */
export interface CardTransaction extends Consumption {
  readonly merchantId: number;
  readonly stage: "asking" | "held" | "done";
  /** What each account bears in all, fees included; a `held` one holds this less what was booked. */
  readonly creditTotal: bigint;
  readonly reserveTotal: bigint;
  /** What clearings have taken for good so far. */
  readonly clearedAmount: bigint;
  readonly creditBooked: bigint;
  readonly reserveBooked: bigint;
  /** What refunds, and reversals after clearing, have given back. */
  readonly refundedAmount: bigint;
  /** What clearings may take in all before they take too much, once they have changed `amount`; null while it is `amount`. */
  readonly captureLimit: bigint | null;
  /** Decimal text; empty where both currencies are at par. */
  readonly exchangeRate: string;
  readonly exchangeSource: string;
  readonly exchangeAt: number | null;
  /** How the small-transaction fee was decided, on the cardholder's and on the reserve's side. */
  readonly smallFee: SmallDecision;
  readonly smallCost: SmallDecision;
  readonly wallet: boolean;
  readonly recurring: boolean;
  readonly networkReference: string;
  readonly holdId: string | null;
  /** A fee that is charged by itself afterwards. */
  readonly feeDue: "" | "decline" | "cancel";
}

/** The card must be locked before (`lockCard`): whoever changes a consumption holds its card. */
export async function selectTransaction(
  sql: Sql,
  key: { readonly merchantId: number; readonly consumeNo: string },
): Promise<CardTransaction | null> {
  const { rows } = await sql.query<Row>({
    name: "card_transaction_one",
    text: `SELECT ${columns} FROM consumption WHERE merchant_id = $1 AND consume_no = $2`,
    values: [key.merchantId, key.consumeNo],
  });
  return rows[0] === undefined ? null : toTransaction(rows[0]);
}

/** The authorization that the network names; null when it is not known. */
export async function selectByReference(
  sql: Sql,
  key: { readonly merchantId: number; readonly networkReference: string },
): Promise<CardTransaction | null> {
  if (key.networkReference === "") {
    return null;
  }
  const { rows } = await sql.query<Row>({
    name: "card_transaction_by_reference",
    text: `SELECT ${columns} FROM consumption WHERE merchant_id = $1 AND network_reference = $2 AND network_reference <> ''`,
    values: [key.merchantId, key.networkReference],
  });
  return rows[0] === undefined ? null : toTransaction(rows[0]);
}

/** At most this many relations of one consumption are looked at; nobody increments or refunds one more often. */
const relatedMax = 200;

/** What points to a consumption by `consume_relate_no`: increments, reversals, refunds; in the order of their numbers. */
export async function selectRelated(
  sql: Sql,
  key: { readonly merchantId: number; readonly consumeNo: string },
): Promise<CardTransaction[]> {
  const { rows } = await sql.query<Row>({
    name: "card_transaction_related",
    text: `SELECT ${columns} FROM consumption WHERE merchant_id = $1 AND consume_relate_no = $2 AND consume_relate_no <> ''
           ORDER BY consume_no LIMIT ${relatedMax}`,
    values: [key.merchantId, key.consumeNo],
  });
  return rows.map(toTransaction);
}

/** Writes a new consumption: a force post, a reversal, a refund, a fee. */
export async function insertTransaction(sql: Sql, transaction: CardTransaction): Promise<void> {
  const values = valuesOf(transaction, transaction.createdAt);
  await sql.query({
    name: "card_transaction_insert",
    text: `INSERT INTO consumption (${columns}, changed_at) VALUES (${values.map((_, i) => `$${i + 1}`).join(", ")})`,
    values,
  });
}

/** Writes what clearing has changed of a consumption; its card must be locked. */
export async function updateTransaction(
  sql: Sql,
  transaction: CardTransaction,
  options: { readonly at: number },
): Promise<void> {
  const t = transaction;
  const { rowCount } = await sql.query({
    name: "card_transaction_update",
    // Parameters that are compared have their types told.
    text: `UPDATE consumption SET status = $3, stage = $4, amount = $5::bigint, fee = $6, fee_rows = $7, credit_total = $8, reserve_total = $9,
             cleared_amount = $10, credit_booked = $11, reserve_booked = $12, refunded_amount = $13, local_amount = $14::text, small_fee = $15,
             small_cost = $16, remark = $17, detail = $18, hold_id = $19, fee_due = $20, exchange_rate = $21, exchange_source = $22,
             exchange_at = $23, capture_limit = $24, changed_at = $25,
             -- What was approved first stays known: the network may still send the authorization again.
             authorized_amount = CASE WHEN amount = $5::bigint THEN authorized_amount ELSE coalesce(authorized_amount, amount) END,
             authorized_local_amount = CASE WHEN local_amount = $14::text THEN authorized_local_amount
                                       ELSE coalesce(authorized_local_amount, local_amount) END
           WHERE merchant_id = $1 AND consume_no = $2`,
    values: [
      t.merchantId,
      t.consumeNo,
      t.status,
      t.stage,
      t.amount,
      t.fee,
      feeRowsJson(t.feeRows),
      t.creditTotal,
      t.reserveTotal,
      t.clearedAmount,
      t.creditBooked,
      t.reserveBooked,
      t.refundedAmount,
      t.localAmount,
      t.smallFee,
      t.smallCost,
      t.remark,
      t.detail,
      t.holdId,
      t.feeDue,
      t.exchangeRate,
      t.exchangeSource,
      t.exchangeAt,
      t.captureLimit,
      options.at,
    ],
  });
  if (rowCount !== 1) {
    throw new Error(`consumption ${t.consumeNo} is not there to be changed`);
  }
}
