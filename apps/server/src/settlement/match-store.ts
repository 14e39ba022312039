import type { Sql } from "#database/index.ts";

/** Holds the turn until the transaction ends. */
export async function lockTurn(sql: Sql): Promise<void> {
  await sql.query("SELECT 1 FROM settlement_turn FOR UPDATE");
}

/** How far a file is; null when it is not `matching`. Needs the turn. */
export async function selectProgress(
  sql: Sql,
  fileKey: number,
): Promise<{ readonly orderNo: number; readonly matchedTo: number; readonly lastLine: number } | null> {
  const { rows } = await sql.query<{ order_no: number; matched_to: number; last_line: number }>(
    `SELECT order_no, matched_to, last_line FROM settlement_file WHERE file_key = $1 AND state = 'matching'`,
    [fileKey],
  );
  const row = rows[0];
  return row === undefined ? null : { orderNo: row.order_no, matchedTo: row.matched_to, lastLine: row.last_line };
}

export interface Piece {
  readonly fileKey: number;
  readonly orderNo: number;
  /** Lines above `from`, up to `to`. */
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

export interface PieceCounts {
  readonly matched: number;
  readonly amountDiffers: number;
  readonly onlyTheirs: number;
  readonly namedTwice: number;
}

/**
 * Our message of a reference. References are unique for the network; should two merchants have one all the same, the message that
 * agrees with the row is meant.
 */
const messageOf = (row: string, amount: string): string => `
  SELECT m.merchant_id, m.consume_no, m.settled_amount FROM network_message m
  WHERE m.network_reference = ${row}.network_reference
  ORDER BY (m.settled_amount = ${row}.${amount}) DESC, m.merchant_id LIMIT 1`;

/** Compares a piece of a file with our messages and writes down what differs; a row without an item has matched. */
export async function matchPiece(sql: Sql, piece: Piece): Promise<PieceCounts> {
  const { rows } = await sql.query<{
    matched: number;
    amount_differs: number;
    only_theirs: number;
    named_twice: number;
  }>(
    `WITH piece AS MATERIALIZED (
       SELECT r.line_no, r.network_reference, r.settled_amount,
         EXISTS (
           SELECT 1 FROM settlement_row e
           WHERE e.network_reference = r.network_reference
             AND CASE WHEN e.file_key = $1 THEN e.line_no < r.line_no
                      ELSE (SELECT f.order_no FROM settlement_file f WHERE f.file_key = e.file_key) < $4 END
         ) AS is_named_before,
         EXISTS (
           SELECT 1 FROM network_message m
           WHERE m.network_reference = r.network_reference AND m.settled_amount = r.settled_amount
         ) AS is_same
       FROM settlement_row r
       WHERE r.file_key = $1 AND r.line_no > $2 AND r.line_no <= $3
     ), looked AS MATERIALIZED (
       -- Nearly every row has matched; only the others need the message itself.
       SELECT r.line_no, r.network_reference, r.settled_amount, m.merchant_id, m.consume_no, m.settled_amount AS our_amount,
         CASE WHEN r.is_named_before THEN 'named_twice' WHEN m.merchant_id IS NULL THEN 'only_theirs' ELSE 'amount_differs' END AS outcome
       FROM piece r LEFT JOIN LATERAL (${messageOf("r", "settled_amount")}) m ON true
       WHERE r.is_named_before OR NOT r.is_same
     ), differing AS (
       INSERT INTO settlement_item (kind, settlement_date, file_key, line_no, network_reference, merchant_id, consume_no,
         their_amount, our_amount, detected_at)
       SELECT l.outcome, (SELECT settlement_date FROM settlement_file WHERE file_key = $1), $1, l.line_no, l.network_reference,
         l.merchant_id, coalesce(l.consume_no, ''), l.settled_amount, l.our_amount, $5
       FROM looked l
     )
     SELECT (SELECT count(*) FROM piece WHERE is_same AND NOT is_named_before)::integer AS matched,
       count(*) FILTER (WHERE outcome = 'amount_differs')::integer AS amount_differs,
       count(*) FILTER (WHERE outcome = 'only_theirs')::integer AS only_theirs,
       count(*) FILTER (WHERE outcome = 'named_twice')::integer AS named_twice
     FROM looked`,
    [piece.fileKey, piece.from, piece.to, piece.orderNo, piece.at],
  );
  const row = rows[0];
  return {
    matched: row?.matched ?? 0,
    amountDiffers: row?.amount_differs ?? 0,
    onlyTheirs: row?.only_theirs ?? 0,
    namedTwice: row?.named_twice ?? 0,
  };
}

/**
 * What this piece means for differences that were known before: a message that no file had named is named now; and a difference
 * that an operator has decided is open again, because his decision did not know of this row.
 */
export async function updateNamedItems(sql: Sql, piece: Piece): Promise<void> {
  await sql.query(
    `UPDATE settlement_item i SET
       state = CASE WHEN i.state = 'open' THEN 'resolved' ELSE 'open' END,
       resolution = CASE WHEN i.state = 'open' THEN 'named_later' ELSE i.resolution END,
       resolved_at = CASE WHEN i.state = 'open' THEN $4 ELSE i.resolved_at END,
       reopened = i.reopened + CASE WHEN i.state = 'open' THEN 0 ELSE 1 END,
       reopened_by_file = CASE WHEN i.state = 'open' THEN i.reopened_by_file ELSE $1 END
     FROM settlement_row r
     WHERE r.file_key = $1 AND r.line_no > $2 AND r.line_no <= $3
       AND i.network_reference = r.network_reference AND i.file_key IS DISTINCT FROM $1
       AND (i.state = 'open' AND i.kind = 'only_ours' AND i.reopened = 0 OR i.state = 'resolved' AND i.resolved_by <> '')`,
    [piece.fileKey, piece.from, piece.to, piece.at],
  );
}

export async function addCounts(sql: Sql, piece: Piece, counts: PieceCounts): Promise<void> {
  await sql.query(
    `UPDATE settlement_file SET matched_to = $2, matched = matched + $3, amount_differs = amount_differs + $4,
       only_theirs = only_theirs + $5, named_twice = named_twice + $6
     WHERE file_key = $1`,
    [piece.fileKey, piece.to, counts.matched, counts.amountDiffers, counts.onlyTheirs, counts.namedTwice],
  );
}

/** Ends the matching of a file. */
export async function finishFile(sql: Sql, ended: { readonly fileKey: number; readonly at: number }): Promise<void> {
  await sql.query(
    `UPDATE settlement_file SET state = 'imported', ended_at = $2 WHERE file_key = $1 AND state = 'matching'`,
    [ended.fileKey, ended.at],
  );
}

/**
 * Items that wait for a message, from the one after `after` on: where it has come meanwhile they settle themselves, or become a
 * difference of amounts. Answers the last item looked at; null when there was none.
 */
export async function updateAwaitedItems(
  sql: Sql,
  query: { readonly after: string; readonly limit: number; readonly at: number },
): Promise<{ readonly last: string | null; readonly looked: number; readonly changed: number }> {
  const { rows } = await sql.query<{ last: string | null; looked: number; changed: number }>(
    `WITH awaited AS MATERIALIZED (
       SELECT item_id, network_reference, their_amount FROM settlement_item
       WHERE kind = 'only_theirs' AND state = 'open' AND item_id > $1 ORDER BY item_id LIMIT $2
     ), changed AS (
       UPDATE settlement_item i SET
         merchant_id = m.merchant_id, consume_no = m.consume_no, our_amount = m.settled_amount,
         kind = CASE WHEN m.settled_amount = i.their_amount THEN i.kind ELSE 'amount_differs' END,
         state = CASE WHEN m.settled_amount = i.their_amount THEN 'resolved' ELSE 'open' END,
         resolution = CASE WHEN m.settled_amount = i.their_amount THEN 'message_came' ELSE '' END,
         resolved_at = CASE WHEN m.settled_amount = i.their_amount THEN $3::bigint END
       FROM awaited a CROSS JOIN LATERAL (${messageOf("a", "their_amount")}) m
       WHERE i.item_id = a.item_id AND i.kind = 'only_theirs' AND i.state = 'open'
       RETURNING 1
     )
     SELECT (SELECT item_id FROM awaited ORDER BY item_id DESC LIMIT 1) AS last, (SELECT count(*)::integer FROM awaited) AS looked,
       (SELECT count(*)::integer FROM changed) AS changed`,
    [query.after, query.limit, query.at],
  );
  const row = rows[0];
  return { last: row?.last ?? null, looked: row?.looked ?? 0, changed: row?.changed ?? 0 };
}
