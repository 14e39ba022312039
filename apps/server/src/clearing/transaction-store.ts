import type { ConsumptionType, FeeType, TransactionStatus } from "@cardwright/contract";
import type { Consumption } from "#consumptions/index.ts";
import { feeRowsJson } from "#consumptions/index.ts";
import type { Sql } from "#database/index.ts";
import type { SmallDecision } from "#fees/index.ts";

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

interface Row {
  merchant_id: number;
  consume_no: string;
  consume_relate_no: string;
  card_no: string;
  cardholder_no: string;
  type: ConsumptionType;
  status: TransactionStatus;
  stage: CardTransaction["stage"];
  amount: bigint;
  fee: bigint;
  fee_rows: [FeeType, string][];
  credit_total: bigint;
  reserve_total: bigint;
  cleared_amount: bigint;
  credit_booked: bigint;
  reserve_booked: bigint;
  refunded_amount: bigint;
  capture_limit: bigint | null;
  local_amount: string;
  local_currency: string;
  exchange_rate: string;
  exchange_source: string;
  exchange_at: bigint | null;
  small_fee: SmallDecision;
  small_cost: SmallDecision;
  wallet: boolean;
  recurring: boolean;
  remark: string;
  detail: string;
  merchant_name: string;
  merchant_mcc: string;
  merchant_city: string;
  merchant_country: string;
  network_reference: string;
  hold_id: string | null;
  fee_due: CardTransaction["feeDue"];
  created_at: bigint;
}

const columns = `merchant_id, consume_no, consume_relate_no, card_no, cardholder_no, type, status, stage, amount, fee, fee_rows, credit_total,
  reserve_total, cleared_amount, credit_booked, reserve_booked, refunded_amount, capture_limit, local_amount, local_currency, exchange_rate,
  exchange_source, exchange_at, small_fee, small_cost, wallet, recurring, remark, detail, merchant_name, merchant_mcc, merchant_city,
  merchant_country, network_reference, hold_id, fee_due, created_at`;

function toTransaction(row: Row): CardTransaction {
  return {
    merchantId: row.merchant_id,
    consumeNo: row.consume_no,
    consumeRelateNo: row.consume_relate_no,
    cardNo: row.card_no,
    cardholderNo: row.cardholder_no,
    type: row.type,
    status: row.status,
    stage: row.stage,
    amount: row.amount,
    fee: row.fee,
    feeRows: row.fee_rows.map(([feeType, amount]) => ({ feeType, amount: BigInt(amount) })),
    creditTotal: row.credit_total,
    reserveTotal: row.reserve_total,
    clearedAmount: row.cleared_amount,
    creditBooked: row.credit_booked,
    reserveBooked: row.reserve_booked,
    refundedAmount: row.refunded_amount,
    captureLimit: row.capture_limit,
    localAmount: row.local_amount,
    localCurrency: row.local_currency,
    exchangeRate: row.exchange_rate,
    exchangeSource: row.exchange_source,
    exchangeAt: row.exchange_at === null ? null : Number(row.exchange_at),
    smallFee: row.small_fee,
    smallCost: row.small_cost,
    wallet: row.wallet,
    recurring: row.recurring,
    remark: row.remark,
    detail: row.detail,
    acceptor: {
      name: row.merchant_name,
      mcc: row.merchant_mcc,
      city: row.merchant_city,
      country: row.merchant_country,
    },
    networkReference: row.network_reference,
    holdId: row.hold_id,
    feeDue: row.fee_due,
    createdAt: Number(row.created_at),
  };
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

const valuesOf = (t: CardTransaction, at: number): unknown[] => [
  t.merchantId,
  t.consumeNo,
  t.consumeRelateNo,
  t.cardNo,
  t.cardholderNo,
  t.type,
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
  t.captureLimit,
  t.localAmount,
  t.localCurrency,
  t.exchangeRate,
  t.exchangeSource,
  t.exchangeAt,
  t.smallFee,
  t.smallCost,
  t.wallet,
  t.recurring,
  t.remark,
  t.detail,
  t.acceptor.name,
  t.acceptor.mcc,
  t.acceptor.city,
  t.acceptor.country,
  t.networkReference,
  t.holdId,
  t.feeDue,
  t.createdAt,
  at,
];

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
