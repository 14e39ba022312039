import type { Sql } from "#database/index.ts";
import type { Naming } from "./file.ts";
import type { FileRow } from "./file-format.ts";

/** Rows on their way to the table, column by column. */
export interface RowBatch {
  readonly count: number;
  add(lineNo: number, row: FileRow): void;
  /** The columns as Postgres reads arrays, in the order of `insertRows`. */
  columns(): string[];
}

/**
 * Array texts are made here and not by `pg`, which escapes every element with two regular expressions. No field needs quotes, since
 * the file's format leaves letters, digits and `._:-` only; but an empty text does, and the word NULL, which a reference may be.
 */
export function createRowBatch(): RowBatch {
  const lines: number[] = [];
  const references: string[] = [];
  const originals: string[] = [];
  const kinds: string[] = [];
  const lastFours: string[] = [];
  const amounts: bigint[] = [];
  const currencies: string[] = [];
  const settled: bigint[] = [];
  const times: number[] = [];
  return {
    get count() {
      return lines.length;
    },
    add: (lineNo, row) => {
      lines.push(lineNo);
      references.push(row.networkReference);
      originals.push(row.originalReference);
      kinds.push(row.kind);
      lastFours.push(row.lastFour);
      amounts.push(row.amount);
      currencies.push(row.currency);
      settled.push(row.settledAmount);
      times.push(row.at);
    },
    columns: () => [
      `{${lines.join(",")}}`,
      `{"${references.join('","')}"}`,
      `{"${originals.join('","')}"}`,
      `{${kinds.join(",")}}`,
      `{${lastFours.join(",")}}`,
      `{${amounts.join(",")}}`,
      `{${currencies.join(",")}}`,
      `{${settled.join(",")}}`,
      `{${times.join(",")}}`,
    ],
  };
}

/** At least one row. */
export async function insertRows(sql: Sql, fileKey: number, columns: readonly string[]): Promise<void> {
  await sql.query({
    name: "settlement_row_insert",
    text: `INSERT INTO settlement_row (file_key, line_no, network_reference, original_reference, kind, last_four, amount, currency,
             settled_amount, at)
           SELECT $1, u.* FROM unnest($2::integer[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[],
             $9::bigint[], $10::bigint[]) AS u`,
    values: [fileKey, ...columns],
  });
}

/** Removes at most `limit` rows of a file; answers how many they were. */
export async function deleteRows(
  sql: Sql,
  piece: { readonly fileKey: number; readonly limit: number },
): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM settlement_row r USING (
       SELECT line_no FROM settlement_row WHERE file_key = $1 ORDER BY line_no LIMIT $2
     ) old WHERE r.file_key = $1 AND r.line_no = old.line_no`,
    [piece.fileKey, piece.limit],
  );
  return rowCount ?? 0;
}

/** Rows of files that count which name a reference, in the order of the files. */
export async function selectNamings(
  sql: Sql,
  query: { readonly networkReference: string; readonly limit: number },
): Promise<Naming[]> {
  const { rows } = await sql.query<{
    file_key: number;
    line_no: number;
    settlement_date: string;
    settled_amount: bigint;
    at: bigint;
  }>(
    `SELECT r.file_key, r.line_no, f.settlement_date::text AS settlement_date, r.settled_amount, r.at
     FROM settlement_row r JOIN settlement_file f USING (file_key)
     WHERE r.network_reference = $1 AND f.order_no IS NOT NULL ORDER BY f.order_no, r.line_no LIMIT $2`,
    [query.networkReference, query.limit],
  );
  return rows.map((row) => ({
    fileKey: row.file_key,
    lineNo: row.line_no,
    settlementDate: row.settlement_date,
    settledAmount: row.settled_amount,
    at: Number(row.at),
  }));
}
