import type { Sql } from "#database/index.ts";
import type { SettledKind } from "#settlement/index.ts";
import type { SentMessage } from "./network-book.ts";

export async function insertSent(sql: Sql, sent: SentMessage): Promise<void> {
  await sql.query({
    name: "sandbox_network_book_insert",
    text: `INSERT INTO sandbox_network_book (merchant_id, network_reference, original_reference, kind, last_four, amount, currency,
             settled_amount, at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (merchant_id, network_reference) DO NOTHING`,
    values: [
      sent.merchantId,
      sent.networkReference,
      sent.originalReference,
      sent.kind,
      sent.lastFour,
      sent.amount,
      sent.currency,
      sent.settledUsd,
      sent.at,
    ],
  });
}

/** Unix ms: from `from` on, before `before`. */
interface Period {
  readonly from: number;
  readonly before: number;
}

export async function selectBookTotals(
  sql: Sql,
  period: Period,
): Promise<{ readonly rows: number; readonly debits: bigint; readonly credits: bigint }> {
  const { rows } = await sql.query<{ rows: number; debits: bigint; credits: bigint }>(
    `SELECT count(*)::integer AS rows, coalesce(sum(settled_amount) FILTER (WHERE settled_amount > 0), 0)::bigint AS debits,
       coalesce(sum(settled_amount) FILTER (WHERE settled_amount < 0), 0)::bigint AS credits
     FROM sandbox_network_book WHERE at >= $1 AND at < $2`,
    [period.from, period.before],
  );
  return rows[0] ?? { rows: 0, debits: 0n, credits: 0n };
}

/** A message's place in the book. */
export interface BookPlace {
  readonly at: number;
  readonly merchantId: number;
  readonly networkReference: string;
}

interface BookRow {
  merchant_id: number;
  network_reference: string;
  original_reference: string;
  kind: SettledKind;
  last_four: string;
  amount: bigint;
  currency: string;
  settled_amount: bigint;
  at: bigint;
}

/** The next messages in the order of time, and where to go on. */
export async function selectBookPage(
  sql: Sql,
  query: { readonly after: BookPlace; readonly before: number; readonly limit: number },
): Promise<{ readonly sent: SentMessage[]; readonly last: BookPlace | null }> {
  const { at, merchantId, networkReference } = query.after;
  const { rows } = await sql.query<BookRow>(
    `SELECT merchant_id, network_reference, original_reference, kind, last_four, amount, currency, settled_amount, at
     FROM sandbox_network_book WHERE (at, merchant_id, network_reference) > ($1, $2, $3) AND at < $4
     ORDER BY at, merchant_id, network_reference LIMIT $5`,
    [at, merchantId, networkReference, query.before, query.limit],
  );
  const sent = rows.map((row) => ({
    networkReference: row.network_reference,
    originalReference: row.original_reference,
    merchantId: row.merchant_id,
    kind: row.kind,
    lastFour: row.last_four,
    amount: row.amount,
    currency: row.currency,
    settledUsd: row.settled_amount,
    at: Number(row.at),
  }));
  return { sent, last: sent.at(-1) ?? null };
}

/** What stands in the book for one original: minor units of its currency, and of USD; negative when the network pays. */
export interface Settled {
  readonly amount: bigint;
  readonly currency: string;
  readonly settledUsd: bigint;
}

/** The sum of what the book says about an original, or about the clearing with that reference; null when it says nothing. */
export async function selectSettled(
  sql: Sql,
  key: { readonly merchantId: number; readonly originalReference: string },
): Promise<Settled | null> {
  const { rows } = await sql.query<{ amount: bigint; currency: string; settledUsd: bigint }>(
    `SELECT sum(CASE WHEN settled_amount < 0 THEN -amount ELSE amount END)::bigint AS amount, currency,
       sum(settled_amount)::bigint AS "settledUsd"
     FROM sandbox_network_book
     WHERE merchant_id = $1 AND (original_reference = $2 OR network_reference = $2) GROUP BY currency LIMIT 1`,
    [key.merchantId, key.originalReference],
  );
  return rows[0] ?? null;
}
