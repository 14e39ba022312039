import { type CurrencyCode, decimalsOf, formatAmount, isCurrency, parseAmount } from "@cardwright/money";
import { ok, type Result, refused } from "#kernel/index.ts";
import { settlement as bounds } from "./limits.ts";

/** The format of docs/reference/settlement-file.md: one header, one row for each transaction that is settled, one trailer. */
export const formatName = "cardwright-settlement-1";

export interface FileHeader {
  readonly fileId: string;
  readonly network: string;
  /** `yyyy-mm-dd`, a day of UTC. */
  readonly settlementDate: string;
  /** Rows that follow, the malformed ones included. */
  readonly rows: number;
}

export const settledKinds = ["clearing", "refund", "reversal"] as const;
export type SettledKind = (typeof settledKinds)[number];

export interface FileRow {
  readonly networkReference: string;
  /** Of the authorization; empty when there was none. */
  readonly originalReference: string;
  readonly kind: SettledKind;
  readonly lastFour: string;
  /** Minor units of `currency`, what the cardholder was asked for; never negative. */
  readonly amount: bigint;
  readonly currency: CurrencyCode;
  /** Minor units of USD; negative when it is paid to us. */
  readonly settledAmount: bigint;
  /** Unix ms. */
  readonly at: number;
}

/** Sums are in minor units of USD. */
export interface FileTrailer {
  readonly rows: number;
  /** Of the settled amounts above zero. */
  readonly debits: bigint;
  /** Of those below zero: zero or negative. */
  readonly credits: bigint;
}

/** What is wrong with a row: the field that cannot be read, or the line as a whole. */
export type RowFault =
  | "line_too_long"
  | "not_a_row"
  | "network_reference"
  | "original_reference"
  | "kind"
  | "last_four"
  | "amount"
  | "currency"
  | "settled_amount"
  | "time";

/** A row that cannot be read, with those of its fields that can. */
export interface MalformedRow {
  readonly fault: RowFault;
  readonly networkReference: string;
  readonly settledAmount: bigint | null;
}

/** USD has two; so has TUSDT, at par. */
export const settledDecimals = 2;
/** Ten billion dollars: above any card transaction, and the sum of `rowsMax` of them fits a bigint of the database. */
const settledMax = 999_999_999_999n;
/** 13 integer digits and 4 decimals, as in the network's messages. */
const amountMax = 99_999_999_999_999_999n;

const referenceForm = /^[A-Za-z0-9._:-]{1,64}$/u;
const networkForm = /^[a-z0-9_-]{1,32}$/u;
const countForm = /^(?:0|[1-9][0-9]{0,8})$/u;
const timeForm = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{3})?Z$/u;

/** Reads the first line; refuses with a sentence about it that repeats nothing of it. */
export function parseHeader(line: string): Result<FileHeader, string> {
  const [record, format, fileId = "", network = "", date = "", currency, rows = "", ...more] = line.split(",");
  if (record !== "H" || format !== formatName || more.length > 0) {
    return refused(`the first line must be a header of seven fields that begins with H,${formatName}`);
  }
  if (!referenceForm.test(fileId))
    return refused("the header's file id must be 1 to 64 characters of A-Z a-z 0-9 . _ : -");
  if (!networkForm.test(network)) return refused("the header's network must be 1 to 32 characters of a-z 0-9 _ -");
  if (!isDay(date)) return refused("the header's settlement date must be a day of the form yyyy-mm-dd");
  if (currency !== "USD") return refused("the header's currency must be USD");
  if (!countForm.test(rows) || Number(rows) > bounds.rowsMax) {
    return refused(`the header's number of rows must be a whole number of at most ${bounds.rowsMax}`);
  }
  return ok({ fileId, network, settlementDate: date, rows: Number(rows) });
}

/** A day that exists, from 2000 to 2099. */
export function isDay(text: string): boolean {
  if (!/^20[0-9]{2}-[0-9]{2}-[0-9]{2}$/u.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00.000Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

/** Reads a row. Fields are looked at in their order; the first that cannot be read is the fault. */
export function parseRow(line: string): Result<FileRow, MalformedRow> {
  const fields = line.split(",");
  const [record, networkReference = "", originalReference = "", kind = "", lastFour = ""] = fields;
  const [amountText = "", currency = "", settledText = "", time = ""] = fields.slice(5);
  if (record !== "D" || fields.length !== 9) {
    return refused({ fault: "not_a_row", networkReference: "", settledAmount: null });
  }
  const settled = parseAmount(settledText, settledDecimals);
  const settledAmount = settled.ok && isWithin(settled.value, settledMax) ? settled.value : null;
  const isNamed = referenceForm.test(networkReference);
  const malformed = (fault: RowFault) =>
    refused({ fault, networkReference: isNamed ? networkReference : "", settledAmount });
  if (!isNamed) return malformed("network_reference");
  if (originalReference !== "" && !referenceForm.test(originalReference)) return malformed("original_reference");
  if (!isSettledKind(kind)) return malformed("kind");
  if (!/^[0-9]{4}$/u.test(lastFour)) return malformed("last_four");
  // The amount cannot be read without its currency, so that is looked at first.
  if (!isCurrency(currency)) return malformed("currency");
  const amount = parseAmount(amountText, decimalsOf(currency));
  if (!amount.ok || amount.value < 0n || amount.value > amountMax) return malformed("amount");
  if (settledAmount === null) return malformed("settled_amount");
  const at = timeForm.test(time) ? Date.parse(time) : Number.NaN;
  if (Number.isNaN(at)) return malformed("time");
  return ok({ networkReference, originalReference, kind, lastFour, amount: amount.value, currency, settledAmount, at });
}

const isWithin = (amount: bigint, max: bigint): boolean => amount <= max && amount >= -max;

const isSettledKind = (text: string): text is SettledKind => settledKinds.some((kind) => kind === text);

/** Whether a line claims to be the trailer. */
export const isTrailer = (line: string): boolean => line.startsWith("T,");

/** Reads the last line; null when it is not a trailer, or contradicts itself. */
export function parseTrailer(line: string): FileTrailer | null {
  const [record, rows = "", debitsText = "", creditsText = "", netText = "", ...more] = line.split(",");
  const [debits, credits, net] = [debitsText, creditsText, netText].map((text) => parseAmount(text, settledDecimals));
  if (record !== "T" || more.length > 0 || !countForm.test(rows) || !debits?.ok || !credits?.ok || !net?.ok) {
    return null;
  }
  const isConsistent = debits.value >= 0n && credits.value <= 0n && debits.value + credits.value === net.value;
  return isConsistent ? { rows: Number(rows), debits: debits.value, credits: credits.value } : null;
}

const usd = (minor: bigint): string => formatAmount(minor, settledDecimals);

/** The three kinds of line as a network writes them, with their ends. */
export const headerLine = ({ fileId, network, settlementDate, rows }: FileHeader): string =>
  `H,${formatName},${fileId},${network},${settlementDate},USD,${rows}\n`;

export function rowLine(row: FileRow): string {
  const amount = formatAmount(row.amount, decimalsOf(row.currency));
  const time = new Date(row.at).toISOString();
  return `D,${row.networkReference},${row.originalReference},${row.kind},${row.lastFour},${amount},${row.currency},${usd(row.settledAmount)},${time}\n`;
}

export const trailerLine = ({ rows, debits, credits }: FileTrailer): string =>
  `T,${rows},${usd(debits)},${usd(credits)},${usd(debits + credits)}\n`;
