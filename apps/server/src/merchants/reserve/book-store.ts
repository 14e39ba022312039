import type { Sql } from "#database/index.ts";

/** What becomes of a purchase that the reserve does not cover. */
export const zeroPolicyKinds = ["decline", "grace"] as const;
export type ZeroPolicyKind = (typeof zeroPolicyKinds)[number];

/** How a merchant's reserve is run; amounts in minor units of USD. */
export interface ReserveBook {
  readonly zeroPolicy: ZeroPolicyKind;
  /** How far below zero purchases may take the reserve; 0 with `decline`. */
  readonly grace: bigint;
  /** Rising. */
  readonly thresholds: readonly bigint[];
  /** Those of them that the reserve was below at the last look. */
  readonly below: readonly bigint[];
}

interface BookRow {
  zero_policy: ZeroPolicyKind;
  grace: bigint;
  thresholds: bigint[];
  below: bigint[];
}

const columns = "zero_policy, grace, thresholds, below";

function toBook(row: BookRow): ReserveBook {
  return { zeroPolicy: row.zero_policy, grace: row.grace, thresholds: row.thresholds, below: row.below };
}

const emptyBook: ReserveBook = { zeroPolicy: "decline", grace: 0n, thresholds: [], below: [] };

/** The row, made when it is not there yet; nobody else closes days, warns or changes the settings until the transaction ends. */
export async function lockBook(sql: Sql, merchantId: number): Promise<ReserveBook> {
  const lock = `SELECT ${columns} FROM merchant_reserve WHERE merchant_id = $1 FOR UPDATE`;
  const found = await sql.query<BookRow>(lock, [merchantId]);
  if (found.rows[0] !== undefined) return toBook(found.rows[0]);
  await sql.query(
    `INSERT INTO merchant_reserve (merchant_id) SELECT merchant_id FROM merchant WHERE merchant_id = $1
     ON CONFLICT (merchant_id) DO NOTHING`,
    [merchantId],
  );
  const made = await sql.query<BookRow>(lock, [merchantId]);
  return made.rows[0] === undefined ? emptyBook : toBook(made.rows[0]);
}

export async function selectBook(sql: Sql, merchantId: number): Promise<ReserveBook> {
  const { rows } = await sql.query<BookRow>(`SELECT ${columns} FROM merchant_reserve WHERE merchant_id = $1`, [
    merchantId,
  ]);
  return rows[0] === undefined ? emptyBook : toBook(rows[0]);
}

export async function saveSettings(sql: Sql, book: ReserveBook & { merchantId: number }): Promise<void> {
  await sql.query(
    "UPDATE merchant_reserve SET zero_policy = $2, grace = $3, thresholds = $4, below = $5 WHERE merchant_id = $1",
    [book.merchantId, book.zeroPolicy, book.grace, book.thresholds, book.below],
  );
}

export async function saveBelow(sql: Sql, state: { merchantId: number; below: readonly bigint[] }): Promise<void> {
  await sql.query("UPDATE merchant_reserve SET below = $2 WHERE merchant_id = $1", [state.merchantId, state.below]);
}

export async function saveClosed(sql: Sql, closed: { merchantId: number; day: number; until: number }): Promise<void> {
  await sql.query("UPDATE merchant_reserve SET closed_day = $2, closed_until = $3 WHERE merchant_id = $1", [
    closed.merchantId,
    closed.day,
    closed.until,
  ]);
}

const dayMs = 86_400_000;

/** Merchants whose next day has ended before that moment; those that have waited longest come first. */
export async function selectMerchantsToClose(
  sql: Sql,
  due: { finishedBefore: number; limit: number },
): Promise<number[]> {
  const { rows } = await sql.query<{ merchant_id: number }>(
    `SELECT m.merchant_id
     FROM merchant m LEFT JOIN merchant_reserve r USING (merchant_id)
     WHERE $1::bigint >= (coalesce(r.closed_day + 1, (m.created_at + m.utc_offset_minutes * 60000) / ${dayMs}) + 1) * ${dayMs}::bigint
       - m.utc_offset_minutes * 60000
     ORDER BY coalesce(r.closed_until, 0), m.merchant_id LIMIT $2`,
    [due.finishedBefore, due.limit],
  );
  return rows.map((row) => row.merchant_id);
}

/** Merchants whose thresholds have been crossed since the last look, in either direction. One walk through a row per merchant. */
export async function selectCrossed(sql: Sql, limit: number): Promise<number[]> {
  const { rows } = await sql.query<{ merchant_id: number }>(
    `SELECT r.merchant_id
     FROM merchant_reserve r
     JOIN ledger.account a ON a.merchant_id = r.merchant_id AND a.kind = 'reserve' AND a.owner = '' AND a.currency = 'USD'
     WHERE r.thresholds <> '{}'
       AND r.below <> (SELECT coalesce(array_agg(t ORDER BY t), '{}') FROM unnest(r.thresholds) AS u (t) WHERE a.available < t)
     LIMIT $1`,
    [limit],
  );
  return rows.map((row) => row.merchant_id);
}

/** A warning for the merchant's operator, in the list of its events. */
