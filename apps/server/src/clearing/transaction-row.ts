import type { ConsumptionType, FeeType, TransactionStatus } from "@cardwright/contract";
import { feeRowsJson } from "#consumptions/index.ts";
import type { SmallDecision } from "#fees/index.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** A consumption's row, as clearing reads and writes it. */
export interface Row {
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

/** In the order of `valuesOf`. */
export const columns = `merchant_id, consume_no, consume_relate_no, card_no, cardholder_no, type, status, stage, amount, fee, fee_rows, credit_total,
  reserve_total, cleared_amount, credit_booked, reserve_booked, refunded_amount, capture_limit, local_amount, local_currency, exchange_rate,
  exchange_source, exchange_at, small_fee, small_cost, wallet, recurring, remark, detail, merchant_name, merchant_mcc, merchant_city,
  merchant_country, network_reference, hold_id, fee_due, created_at`;

export function toTransaction(row: Row): CardTransaction {
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

/** The values of `columns`, and when it was changed. */
export const valuesOf = (t: CardTransaction, at: number): unknown[] => [
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
