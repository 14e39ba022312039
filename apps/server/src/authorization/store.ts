import { DECLINES, isDeclineReason, type MerchantMode, type Remark, remarkSentence } from "@cardwright/contract";
import { dataEnd, dataFees, type FeeRow, feeRowsJson } from "#consumptions/index.ts";
import type { Sql } from "#database/index.ts";
import { isDeclineCharged, type SmallDecision } from "#fees/index.ts";
import {
  nullableTextArray,
  plainArray,
  type RecordField,
  recordArray,
  separated,
  separatedArrayOf,
  textField,
} from "./array-text.ts";
import type { CardFacts, CardKey } from "./facts.ts";
import type { DecisionItem } from "./item.ts";
import type { SideFees } from "./item-fees.ts";
import type { LimitPeriods } from "./periods.ts";

interface FactsRow {
  cardholder_no: string;
  version: number;
  mode: MerchantMode;
  expiry_year: number;
  expiry_month: number;
  utc_offset_minutes: number;
  created_at: bigint;
  credit_account_id: string | null;
  reserve_account_id: string;
  card_bin_no: string;
  bin_terms_version: number;
  package_no: string | null;
  package_terms_version: number | null;
}

export interface StoredFacts {
  readonly cardholderNo: string;
  readonly version: number;
  readonly mode: MerchantMode;
  readonly expiry: { readonly year: number; readonly month: number };
  readonly utcOffsetMinutes: number;
  readonly openedAt: number;
  readonly creditAccountId: string | null;
  readonly reserveAccountId: string;
  readonly cardBinNo: string;
  readonly binTermsVersion: number;
  readonly package: { readonly no: string; readonly termsVersion: number } | null;
}

export async function selectFacts(sql: Sql, key: CardKey): Promise<StoredFacts | null> {
  const { rows } = await sql.query<FactsRow>({
    name: "authorization_facts",
    text: `SELECT k.cardholder_no, k.version, m.mode, k.expiry_year, k.expiry_month, k.utc_offset_minutes, k.created_at, k.credit_account_id,
             r.account_id AS reserve_account_id, k.card_bin_no, k.bin_terms_version, k.package_no, k.package_terms_version
           FROM card k
           JOIN merchant m USING (merchant_id)
           JOIN ledger.account r ON r.merchant_id = k.merchant_id AND r.kind = 'reserve' AND r.owner = '' AND r.currency = 'USD'
           WHERE k.merchant_id = $1 AND k.card_no = $2`,
    values: [key.merchantId, key.cardNo],
  });
  const row = rows[0];
  if (row === undefined) {
    return null;
  }
  return {
    cardholderNo: row.cardholder_no,
    version: row.version,
    mode: row.mode,
    expiry: { year: row.expiry_year, month: row.expiry_month },
    utcOffsetMinutes: row.utc_offset_minutes,
    openedAt: Number(row.created_at),
    creditAccountId: row.credit_account_id,
    reserveAccountId: row.reserve_account_id,
    cardBinNo: row.card_bin_no,
    binTermsVersion: row.bin_terms_version,
    package:
      row.package_no === null || row.package_terms_version === null
        ? null
        : { no: row.package_no, termsVersion: row.package_terms_version },
  };
}

export interface DecisionRow {
  readonly verdict: "approved" | "asking" | "declined" | "stale" | "repeat";
  readonly reason: string;
  readonly consumeNo: string;
  /** 'Asking' of a repeat whose first message is still with the merchant. */
  readonly consumptionStatus: "Pending" | "Success" | "Fail" | "Asking" | "";
  /** Of a repeat: minor units, where the merchant approved only a part. */
  readonly partialAmount: bigint | null;
  /** Of a repeat: the merchant's own word for its refusal, or empty. */
  readonly merchantReason: string;
  /** How the reserve's small-transaction fee was decided. */
  readonly smallCost: SmallDecision;
}

/** What a decision can refuse with: the declines, and that the reversal came first. */
const refusals = [
  ...Object.entries(DECLINES).map(([remark, decline]) => ({
    remark,
    detail: decline.en,
    charged: isDeclineReason(remark) && isDeclineCharged(remark),
  })),
  { remark: "reversed", detail: remarkSentence("reversed", "en_US"), charged: false },
];
/** d_reason to d_charged. */
const refusalColumns = [
  separated(refusals.map(({ remark }) => remark)),
  separated(refusals.map(({ detail }) => detail)),
  separated(refusals.map(({ remark, detail }) => dataFees({ fee: 0n, remark, detail, feeRows: [] }))),
  separated(refusals.map(({ charged }) => (charged ? "t" : "f"))),
];

/** The distinct keys of a batch in key order, as the statement locks them, and where each one stands (from 1). */
function sortedKeys(keys: Iterable<{ readonly merchantId: number; readonly id: string }>) {
  const distinct = new Map<string, { merchantId: number; id: string }>();
  for (const key of keys) {
    distinct.set(`${key.merchantId}/${key.id}`, key);
  }
  const sorted = [...distinct.values()].sort((a, b) => a.merchantId - b.merchantId || (a.id < b.id ? -1 : 1));
  const places = new Map(sorted.map((key, index) => [`${key.merchantId}/${key.id}`, index + 1]));
  return {
    merchants: plainArray(sorted.map((key) => key.merchantId)),
    ids: plainArray(sorted.map((key) => key.id)),
    placeOf: (merchantId: number, id: string | null) => (id === null ? 0 : (places.get(`${merchantId}/${id}`) ?? 0)),
  };
}

type Places = ReturnType<typeof sortedKeys>;

const cardsOf = (keys: readonly CardKey[]): Places =>
  sortedKeys(keys.map(({ merchantId, cardNo }) => ({ merchantId, id: cardNo })));

function accountsOf(cards: readonly CardFacts[]): Places {
  return sortedKeys(
    cards.flatMap(({ merchantId, reserveAccountId, creditAccountId }) =>
      [reserveAccountId, creditAccountId].flatMap((id) => (id === null ? [] : [{ merchantId, id }])),
    ),
  );
}

const decideText = `SELECT CASE verdict WHEN 'verified' THEN 'approved' ELSE verdict END AS verdict, reason, answered_no AS "consumeNo",
    status AS "consumptionStatus", answered_partial AS "partialAmount", answered_word AS "merchantReason",
    small_cost_decision AS "smallCost"
  FROM unnest(authorization_decide($1, $2, $3, $4, $5, $6, $7, ${separatedArrayOf("$8")}, $9, $10, $11, $12, $13, $14, $15))`;

/** Decides a batch in one statement, which is one transaction; one row per item, in order. */
export async function callDecide(sql: Sql, items: readonly DecisionItem[]): Promise<DecisionRow[]> {
  const cards = cardsOf(items.map(({ facts }) => facts));
  const accounts = accountsOf(items.map(({ facts }) => facts));
  const texts = (value: (item: DecisionItem) => string) => separated(items.map(value));
  const { rows } = await sql.query<DecisionRow>({
    name: "authorization_decide",
    text: decideText,
    values: [
      cards.merchants,
      cards.ids,
      accounts.merchants,
      accounts.ids,
      plainArray(items.map(({ facts }) => facts.merchantId)),
      nullableTextArray(items.map(({ networkReference }) => networkReference)),
      recordArray(items.map((item) => itemFields(item, { cards, accounts }))),
      texts((item) => feeRowsJson(item.feeRows)),
      texts(
        (item) => item.dataHead + item.dataApproved + item.dataTail + dataEnd({ status: "Pending", time: item.at }),
      ),
      shownFree(items, ({ rows: feeRows }) => feeRowsJson(feeRows)),
      shownFree(items, ({ fee, rows: feeRows }) => dataFees({ fee, remark: "", detail: "", feeRows })),
      ...refusalColumns,
    ],
  });
  return rows;
}

/** The fields of decision_item (0027_outbox.sql). */
function itemFields(
  item: DecisionItem,
  { cards, accounts }: { readonly cards: Places; readonly accounts: Places },
): RecordField[] {
  const { facts, limits, periods, acceptor, fees, exchange } = item;
  const { merchantId, cardNo, creditAccountId, reserveAccountId } = facts;
  return [
    merchantId,
    cards.placeOf(merchantId, cardNo),
    cardNo,
    facts.cardholderNo,
    facts.version,
    accounts.placeOf(merchantId, creditAccountId),
    accounts.placeOf(merchantId, reserveAccountId),
    creditAccountId,
    reserveAccountId,
    item.consumeNo,
    textField(item.consumeRelateNo),
    textField(item.networkReference),
    item.type,
    item.asks,
    textField(item.preset),
    item.amount,
    item.creditTotal,
    item.reserveTotal,
    item.fee,
    limits.purchase,
    limits.week,
    limits.atmDay,
    limits.atmMonth,
    periods.week,
    periods.day,
    periods.month,
    textField(item.localAmount),
    textField(item.localCurrency),
    textField(acceptor.name),
    textField(acceptor.mcc),
    textField(acceptor.city),
    textField(acceptor.country),
    item.holdId,
    item.callbackId,
    item.at,
    item.holdUntil,
    item.wallet,
    item.recurring,
    item.declineFee,
    ...smallFields(fees.cardholder?.small ?? null),
    ...smallFields(fees.reserve.small),
    ...(exchange === null ? [null, null, null] : [textField(exchange.rate), textField(exchange.source), exchange.at]),
    item.dataHead.length,
    item.dataApproved.length,
  ];
}

const smallFields = (small: SideFees["small"]): RecordField[] =>
  small === null ? [null, null, null] : [small.fee, small.max, small.period];

/** What is shown where the small-transaction fee is free; empty where that can be of none in the batch. */
function shownFree(
  items: readonly DecisionItem[],
  text: (free: { readonly fee: bigint; readonly rows: readonly FeeRow[] }) => string,
): string {
  return items.every(({ fees }) => fees.shown.small === null)
    ? "{}"
    : nullableTextArray(
        items.map(({ fees: { shown } }) =>
          shown.small === null ? null : text({ fee: shown.total - shown.small.fee, rows: shown.small.freeRows }),
        ),
      );
}

/** What a merchant approved of a purchase when it is less than the whole. Minor units of the card's currency. */
export interface PartialApproval {
  readonly amount: bigint;
  /** The rest of what was asked. */
  readonly notApproved: bigint;
  readonly fee: bigint;
  readonly feeRows: readonly FeeRow[];
  readonly reserveTotal: bigint;
  /** Decimal text in the currency of the transaction. */
  readonly localAmount: string;
}

/** The end of the question about one authorization: see authorization_conclude in the migrations. */
export interface ConclusionItem extends CardKey {
  readonly consumeNo: string;
  readonly outcome: "approved" | "refused" | "failed";
  readonly partial: PartialApproval | null;
  readonly remark: Remark | "";
  readonly detail: string;
  /** The merchant's own word for its refusal, or empty. */
  readonly merchantReason: string;
  /** A decline fee may be charged for the refusal. */
  readonly feeDue: boolean;
  /** The periods that the amount was counted in. */
  readonly periods: LimitPeriods;
  readonly transactionId: string;
  readonly callbackId: string;
  /** The finished data of the callback. */
  readonly data: string;
  /** The same for an approval in the merchant's stead; empty when that cannot be. */
  readonly standInData: string;
  /** When the callback may be sent. */
  readonly dueAt: number;
}

export interface ConclusionRow {
  /** False when the question had ended before: the rest tells the present state. */
  readonly concluded: boolean;
  readonly consumptionStatus: "Pending" | "Success" | "Fail";
  readonly remark: string;
}

const concludeText = `SELECT concluded, consumption_status AS "consumptionStatus", remark
  FROM unnest(authorization_conclude($1, $2, $3, $4, $5, $6, $7, $8))`;

export async function callConclude(
  sql: Sql,
  options: {
    readonly items: readonly ConclusionItem[];
    readonly voidKind: "void" | "expire";
    readonly at: number;
  },
): Promise<ConclusionRow[]> {
  const { items } = options;
  const cards = cardsOf(items);
  const { rows } = await sql.query<ConclusionRow>({
    name: "authorization_conclude",
    text: concludeText,
    values: [
      cards.merchants,
      cards.ids,
      recordArray(items.map((item) => conclusionFields(item, cards))),
      separated(items.map((item) => item.data)),
      separated(items.map((item) => item.standInData)),
      remarkSentence("stand_in", "en_US"),
      options.voidKind,
      options.at,
    ],
  });
  return rows;
}

/** The fields of conclusion_item (0027_outbox.sql). */
function conclusionFields(item: ConclusionItem, cards: Places): RecordField[] {
  const { partial, periods } = item;
  return [
    item.merchantId,
    cards.placeOf(item.merchantId, item.cardNo),
    item.cardNo,
    item.consumeNo,
    item.outcome,
    textField(item.remark),
    textField(item.detail),
    textField(item.merchantReason),
    item.feeDue,
    ...(partial === null
      ? [null, null, null, null, null, null]
      : [
          partial.amount,
          partial.notApproved,
          partial.fee,
          textField(feeRowsJson(partial.feeRows)),
          partial.reserveTotal,
          textField(partial.localAmount),
        ]),
    periods.week,
    periods.day,
    periods.month,
    item.transactionId,
    item.callbackId,
    item.dueAt,
  ];
}

export interface LostQuestion extends CardKey {
  readonly consumeNo: string;
  readonly utcOffsetMinutes: number;
}

/** Questions that were put before `askedBefore` (Unix ms) and have no end, the oldest first: the process that asked has died. */
export async function selectLostQuestions(
  sql: Sql,
  options: { readonly askedBefore: number; readonly limit: number },
): Promise<LostQuestion[]> {
  const { rows } = await sql.query<LostQuestion & Record<string, unknown>>({
    name: "authorization_lost_questions",
    text: `SELECT p.merchant_id AS "merchantId", p.card_no AS "cardNo", p.consume_no AS "consumeNo",
             k.utc_offset_minutes AS "utcOffsetMinutes"
           FROM consumption p
           JOIN card k ON k.merchant_id = p.merchant_id AND k.card_no = p.card_no
           WHERE p.stage = 'asking' AND p.created_at <= $1
           ORDER BY p.created_at LIMIT $2`,
    values: [options.askedBefore, options.limit],
  });
  return rows;
}

/** The number of the authorization that the network names; null when it is not known. */
export async function selectConsumeNo(
  sql: Sql,
  key: { readonly merchantId: number; readonly networkReference: string },
): Promise<string | null> {
  const { rows } = await sql.query<{ consume_no: string }>({
    name: "authorization_of_reference",
    text: `SELECT consume_no FROM consumption WHERE merchant_id = $1 AND network_reference = $2 AND network_reference <> ''`,
    values: [key.merchantId, key.networkReference],
  });
  return rows[0]?.consume_no ?? null;
}

/** What an account has available, minor units. */
export async function selectAvailable(
  sql: Sql,
  account: { readonly merchantId: number; readonly accountId: string },
): Promise<bigint> {
  const { rows } = await sql.query<{ available: bigint }>({
    name: "authorization_balance",
    text: "SELECT available FROM ledger.account WHERE merchant_id = $1 AND account_id = $2",
    values: [account.merchantId, account.accountId],
  });
  return rows[0]?.available ?? 0n;
}
