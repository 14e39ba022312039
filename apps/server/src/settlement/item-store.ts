import type { Sql } from "#database/index.ts";
import type { ItemKind, ItemState, OwnResolution, Resolution, SettlementItem } from "./file.ts";
import type { RowFault } from "./file-format.ts";

interface ItemRecord {
  item_id: string;
  kind: ItemKind;
  settlement_date: string;
  file_key: number | null;
  line_no: number | null;
  network_reference: string;
  merchant_id: number | null;
  consume_no: string;
  their_amount: bigint | null;
  our_amount: bigint | null;
  reason: RowFault | "";
  state: ItemState;
  resolution: Resolution | OwnResolution | "";
  note: string;
  resolved_by: string;
  resolved_at: bigint | null;
  reopened: number;
  reopened_by_file: number | null;
  detected_at: bigint;
}

const columns = `item_id, kind, settlement_date::text AS settlement_date, file_key, line_no, network_reference, merchant_id, consume_no,
  their_amount, our_amount, reason, state, resolution, note, resolved_by, resolved_at, reopened, reopened_by_file, detected_at`;

function toItem(row: ItemRecord): SettlementItem {
  return {
    itemId: row.item_id,
    kind: row.kind,
    settlementDate: row.settlement_date,
    fileKey: row.file_key,
    lineNo: row.line_no,
    networkReference: row.network_reference,
    merchantId: row.merchant_id,
    consumeNo: row.consume_no,
    theirAmount: row.their_amount,
    ourAmount: row.our_amount,
    reason: row.reason,
    state: row.state,
    resolution: row.resolution,
    note: row.note,
    resolvedBy: row.resolved_by,
    resolvedAt: row.resolved_at === null ? null : Number(row.resolved_at),
    reopened: row.reopened,
    reopenedByFile: row.reopened_by_file,
    detectedAt: Number(row.detected_at),
  };
}

/** A line of a file that could not be read. */
export interface MalformedLine {
  readonly lineNo: number;
  readonly reason: RowFault;
  readonly networkReference: string;
  readonly settledAmount: bigint | null;
}

export async function insertMalformed(
  sql: Sql,
  found: { readonly fileKey: number; readonly lines: readonly MalformedLine[]; readonly at: number },
): Promise<void> {
  const { lines } = found;
  await sql.query(
    `INSERT INTO settlement_item (kind, settlement_date, file_key, line_no, network_reference, their_amount, reason, detected_at)
     SELECT 'malformed', f.settlement_date, f.file_key, u.line_no, u.reference, u.amount, u.reason, $6
     FROM settlement_file f, unnest($2::integer[], $3::text[], $4::bigint[], $5::text[]) AS u (line_no, reference, amount, reason)
     WHERE f.file_key = $1`,
    [
      found.fileKey,
      lines.map((line) => line.lineNo),
      lines.map((line) => line.networkReference),
      lines.map((line) => line.settledAmount),
      lines.map((line) => line.reason),
      found.at,
    ],
  );
}

export interface ItemFilter {
  readonly state: ItemState | null;
  readonly kind: ItemKind | null;
  readonly fileKey: number | null;
  readonly settlementDate: string | null;
  readonly merchantId: number | null;
  readonly networkReference: string | null;
  readonly page: number;
  readonly size: number;
}

/** Newest first. */
export async function selectItems(sql: Sql, filter: ItemFilter): Promise<SettlementItem[]> {
  const conditions: string[] = [];
  const values: unknown[] = [];
  for (const [column, value] of [
    ["state", filter.state],
    ["kind", filter.kind],
    ["file_key", filter.fileKey],
    ["settlement_date", filter.settlementDate],
    ["merchant_id", filter.merchantId],
    ["network_reference", filter.networkReference],
  ] as const) {
    if (value !== null) {
      values.push(value);
      conditions.push(`${column} = $${values.length}`);
    }
  }
  values.push(filter.size, filter.page * filter.size);
  const { rows } = await sql.query<ItemRecord>(
    `SELECT ${columns} FROM settlement_item ${conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`}
     ORDER BY detected_at DESC, item_id DESC LIMIT $${values.length - 1} OFFSET $${values.length}`,
    values,
  );
  return rows.map(toItem);
}

export async function selectItem(sql: Sql, itemId: string): Promise<SettlementItem | null> {
  const { rows } = await sql.query<ItemRecord>(`SELECT ${columns} FROM settlement_item WHERE item_id = $1`, [itemId]);
  const row = rows[0];
  return row === undefined ? null : toItem(row);
}

/** Writes an operator's decision; null when the item is not open. */
export async function updateResolved(
  sql: Sql,
  decision: {
    readonly itemId: string;
    readonly resolution: Resolution;
    readonly note: string;
    readonly by: string;
    readonly at: number;
  },
): Promise<SettlementItem | null> {
  const { rows } = await sql.query<ItemRecord>(
    `UPDATE settlement_item SET state = 'resolved', resolution = $2, note = $3, resolved_by = $4, resolved_at = $5
     WHERE item_id = $1 AND state = 'open' RETURNING ${columns}`,
    [decision.itemId, decision.resolution, decision.note, decision.by, decision.at],
  );
  const row = rows[0];
  return row === undefined ? null : toItem(row);
}
