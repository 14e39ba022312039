import type { Sql } from "#database/index.ts";

/**
 * Days that can be decided: those from one file's date up to the day before the next file's date, when both are imported and lie no
 * further apart than one series does. Oldest first.
 */
export async function selectDueDays(
  sql: Sql,
  query: { readonly gapDaysMax: number; readonly limit: number },
): Promise<string[]> {
  const { rows } = await sql.query<{ day: string }>(
    `SELECT to_char(day, 'YYYY-MM-DD') AS day
     FROM (
       SELECT settlement_date, lead(settlement_date) OVER (ORDER BY settlement_date) AS next
       FROM (SELECT DISTINCT settlement_date FROM settlement_file WHERE state = 'imported') dates
     ) series
     CROSS JOIN LATERAL generate_series(settlement_date::timestamp, next - interval '1 day', interval '1 day') AS day
     WHERE next - settlement_date <= $1
       AND NOT EXISTS (SELECT 1 FROM settlement_day d WHERE d.settlement_date = day::date)
     ORDER BY day LIMIT $2`,
    [query.gapDaysMax, query.limit],
  );
  return rows.map((row) => row.day);
}

/** A message's place in the order of time. */
export interface MessagePlace {
  readonly at: number;
  readonly merchantId: number;
  readonly networkReference: string;
}

/**
 * Looks at the next messages of a day, in the order of time, and writes down those that no file names. Answers how many it looked
 * at, and the last of them; null when there were none left. Needs the turn: a piece of a file must not be matched meanwhile.
 */
export async function decidePiece(
  sql: Sql,
  piece: {
    readonly day: string;
    readonly after: MessagePlace;
    readonly before: number;
    readonly limit: number;
    readonly at: number;
  },
): Promise<{ readonly looked: number; readonly last: MessagePlace | null }> {
  const { rows } = await sql.query<{
    looked: number;
    at: bigint | null;
    merchant_id: number | null;
    network_reference: string | null;
  }>(
    `WITH piece AS MATERIALIZED (
       SELECT m.at, m.merchant_id, m.network_reference, m.settled_amount, m.consume_no FROM network_message m
       WHERE m.settled_amount <> 0 AND (m.at, m.merchant_id, m.network_reference) > ($1, $2, $3) AND m.at < $4
       ORDER BY m.at, m.merchant_id, m.network_reference LIMIT $5
     ), unnamed AS (
       INSERT INTO settlement_item (kind, settlement_date, network_reference, merchant_id, consume_no, our_amount, detected_at)
       SELECT 'only_ours', $6::date, p.network_reference, p.merchant_id, p.consume_no, p.settled_amount, $7 FROM piece p
       WHERE NOT EXISTS (
         SELECT 1 FROM settlement_row r WHERE r.network_reference = p.network_reference
           AND (SELECT f.order_no FROM settlement_file f WHERE f.file_key = r.file_key) IS NOT NULL
       )
       ON CONFLICT (merchant_id, network_reference) WHERE kind = 'only_ours' DO NOTHING
     ), last AS (
       SELECT at, merchant_id, network_reference FROM piece ORDER BY at DESC, merchant_id DESC, network_reference DESC LIMIT 1
     )
     SELECT (SELECT count(*)::integer FROM piece) AS looked, last.* FROM (SELECT 1) one LEFT JOIN last ON true`,
    [
      piece.after.at,
      piece.after.merchantId,
      piece.after.networkReference,
      piece.before,
      piece.limit,
      piece.day,
      piece.at,
    ],
  );
  const row = rows[0];
  if (row === undefined || row.at === null || row.merchant_id === null || row.network_reference === null) {
    return { looked: 0, last: null };
  }
  return {
    looked: row.looked,
    last: { at: Number(row.at), merchantId: row.merchant_id, networkReference: row.network_reference },
  };
}

/** Closes a day; a repeat has no effect. */
export async function insertDay(
  sql: Sql,
  decided: { readonly day: string; readonly messages: number; readonly at: number },
): Promise<void> {
  await sql.query(
    `INSERT INTO settlement_day (settlement_date, messages, only_ours, decided_at)
     SELECT $1::date, $2, count(*), $3 FROM settlement_item WHERE settlement_date = $1::date AND kind = 'only_ours'
     ON CONFLICT (settlement_date) DO NOTHING`,
    [decided.day, decided.messages, decided.at],
  );
}
