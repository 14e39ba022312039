import type { TransactionStatus } from "@cardwright/contract";
import { formatShortest } from "@cardwright/money";
import type { CardAcceptor, Consumption, FeeRow } from "./consumption.ts";

/** Decimals of the card's currency: cards are billed in USD and TUSDT, both with two. */
const cardDecimals = 2;

/**
 * The `data` of a Consumption callback is written by hand, piece by piece: its text is what gets signed, so key order and
 * number form are part of the contract (section 6), and where a decision comes out otherwise than expected its text is put together
 * anew inside the database, where alone the verdict is known. Head, fees, tail and end make one JSON object.
 *
 * Pieces are joined, not added: what is added stays a chain of its pieces until somebody reads it, and these texts are kept for as long as a
 * merchant is asked. Two fifths of the objects that the collector had to move for an open question were such pieces.
 */
export function dataHead(
  c: Pick<
    Consumption,
    "consumeNo" | "consumeRelateNo" | "cardNo" | "cardholderNo" | "type" | "amount" | "localAmount" | "localCurrency"
  >,
): string {
  return [
    '{"consume_no":',
    JSON.stringify(c.consumeNo),
    ',"consume_relate_no":',
    JSON.stringify(c.consumeRelateNo),
    ',"card_no":',
    JSON.stringify(c.cardNo),
    ...dataAmounts(c),
  ].join("");
}

/** What a push and a question say alike, piece by piece. */
function dataAmounts(
  c: Pick<Consumption, "cardholderNo" | "type" | "amount" | "localAmount" | "localCurrency">,
): string[] {
  return [
    ',"cardholder_no":',
    JSON.stringify(c.cardholderNo),
    ',"type":"',
    c.type,
    '","amount":',
    formatShortest(c.amount, cardDecimals),
    ',"local_amount":',
    shortestNumber(c.localAmount),
    ',"local_currency":',
    JSON.stringify(c.localCurrency),
  ];
}

export function dataFees(c: Pick<Consumption, "fee" | "remark" | "detail" | "feeRows">): string {
  return [
    ',"fee":',
    formatShortest(c.fee, cardDecimals),
    ',"remark":',
    JSON.stringify(c.remark),
    ',"detail":',
    JSON.stringify(c.detail),
    ',"fee_detail":[',
    c.feeRows.map(feeRow).join(","),
    "]",
  ].join("");
}

function feeRow(row: FeeRow): string {
  return `{"amount":${formatShortest(row.amount, cardDecimals)},"fee_type":"${row.feeType}"}`;
}

/** Nested keys in the order that is both insertion order and a Java HashMap's (contract section 6). */
export function dataTail(acceptor: CardAcceptor): string {
  return [
    ',"merchant_info":{"country":',
    JSON.stringify(acceptor.country),
    ',"merchant_mcc":',
    JSON.stringify(acceptor.mcc),
    ',"city":',
    JSON.stringify(acceptor.city),
    ',"merchant_name":',
    JSON.stringify(acceptor.name),
    "}",
  ].join("");
}

export function dataEnd(end: { readonly status: TransactionStatus; readonly time: number }): string {
  return `,"status":"${end.status}","time":${end.time}}`;
}

/** The whole `data` text of a Consumption callback; `time` is that of the change, Unix ms. */
export function consumptionData(consumption: Consumption, options: { readonly time: number }): string {
  return [
    dataHead(consumption),
    dataFees(consumption),
    dataTail(consumption.acceptor),
    dataEnd({ status: consumption.status, time: options.time }),
  ].join("");
}

/** The `data` text of an Auth question (contract section 6): no fees, the status is always Pending. */
export function authData(
  c: Pick<
    Consumption,
    | "consumeNo"
    | "cardNo"
    | "cardholderNo"
    | "type"
    | "amount"
    | "localAmount"
    | "localCurrency"
    | "acceptor"
    | "createdAt"
  >,
): string {
  return [
    '{"consume_no":',
    JSON.stringify(c.consumeNo),
    ',"card_no":',
    JSON.stringify(c.cardNo),
    ...dataAmounts(c),
    dataTail(c.acceptor),
    dataEnd({ status: "Pending", time: c.createdAt }),
  ].join("");
}

/** The shortest form of a decimal text, which is how the usual JSON libraries write the number back: 100.00 → 100. */
function shortestNumber(decimal: string): string {
  return decimal.includes(".") ? decimal.replace(/\.?0+$/u, "") : decimal;
}
