import type { Sql } from "#database/index.ts";
import type { FileState, RejectionReason, SettlementFile } from "./file.ts";
import type { FileHeader, FileTrailer } from "./file-format.ts";

/** An import's hold on its file: void once another has taken it over. */
export interface Claim {
  readonly fileKey: number;
  readonly attempt: number;
  readonly leaseMs: number;
}

/** Leases are measured by the database's clock: the only one that all processes share. */
const nowMs = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";

interface FileRecord {
  file_key: number;
  file_id: string;
  network: string;
  settlement_date: string;
  state: FileState;
  reason: RejectionReason | "";
  rows_expected: number;
  rows_read: number;
  malformed: number;
  sha256: Buffer | null;
  debits: bigint | null;
  credits: bigint | null;
  unread_amount: bigint;
  matched: number;
  amount_differs: number;
  only_theirs: number;
  named_twice: number;
  only_ours: number | null;
  open_items: number;
  broken_off: boolean;
  begun_by: string;
  begun_at: bigint;
  ended_at: bigint | null;
}

const columns = `f.file_key, f.file_id, f.network, f.settlement_date::text AS settlement_date, f.state, f.reason, f.rows_expected,
  f.rows_read, f.malformed, f.sha256, f.debits, f.credits, f.unread_amount, f.matched, f.amount_differs, f.only_theirs, f.named_twice,
  f.begun_by, f.begun_at, f.ended_at, f.state = 'importing' AND f.lease_until < ${nowMs} AS broken_off,
  (SELECT d.only_ours FROM settlement_day d WHERE d.settlement_date = f.settlement_date) AS only_ours,
  (SELECT count(*)::integer FROM settlement_item i WHERE i.file_key = f.file_key AND i.state = 'open') AS open_items`;

function toFile(row: FileRecord): SettlementFile {
  return {
    fileKey: row.file_key,
    fileId: row.file_id,
    network: row.network,
    settlementDate: row.settlement_date,
    state: row.state,
    reason: row.reason,
    rowsExpected: row.rows_expected,
    rowsRead: row.rows_read,
    malformed: row.malformed,
    sha256: row.sha256?.toString("hex") ?? "",
    debits: row.debits,
    credits: row.credits,
    unreadAmount: row.unread_amount,
    matched: row.matched,
    amountDiffers: row.amount_differs,
    onlyTheirs: row.only_theirs,
    namedTwice: row.named_twice,
    onlyOurs: row.only_ours,
    openItems: row.open_items,
    brokenOff: row.broken_off,
    begunBy: row.begun_by,
    begunAt: Number(row.begun_at),
    endedAt: row.ended_at === null ? null : Number(row.ended_at),
  };
}

export async function selectFile(sql: Sql, fileKey: number): Promise<SettlementFile | null> {
  const { rows } = await sql.query<FileRecord>(`SELECT ${columns} FROM settlement_file f WHERE f.file_key = $1`, [
    fileKey,
  ]);
  const row = rows[0];
  return row === undefined ? null : toFile(row);
}

export interface FileFilter {
  readonly settlementDate: string | null;
  readonly state: FileState | null;
  readonly page: number;
  readonly size: number;
}

/** Newest first. There are one or two a day, so a page is counted off and not sought. */
export async function selectFiles(sql: Sql, filter: FileFilter): Promise<SettlementFile[]> {
  const { rows } = await sql.query<FileRecord>(
    `SELECT ${columns} FROM settlement_file f
     WHERE ($1::date IS NULL OR f.settlement_date = $1) AND ($2::text IS NULL OR f.state = $2)
     ORDER BY f.file_key DESC LIMIT $3 OFFSET $4`,
    [filter.settlementDate, filter.state, filter.size, filter.page * filter.size],
  );
  return rows.map(toFile);
}

/** The file of a header that is not rejected. */
export async function selectFileById(
  sql: Sql,
  header: Pick<FileHeader, "network" | "fileId">,
): Promise<SettlementFile | null> {
  const { rows } = await sql.query<FileRecord>(
    `SELECT ${columns} FROM settlement_file f WHERE f.network = $1 AND f.file_id = $2 AND f.state <> 'rejected'`,
    [header.network, header.fileId],
  );
  const row = rows[0];
  return row === undefined ? null : toFile(row);
}

/** Begins a file that is not known; null when it is. */
export async function insertFile(
  sql: Sql,
  begun: { readonly header: FileHeader; readonly leaseMs: number; readonly by: string; readonly at: number },
): Promise<Claim | null> {
  const { header, leaseMs } = begun;
  const { rows } = await sql.query<{ file_key: number; attempt: number }>(
    `INSERT INTO settlement_file (file_id, network, settlement_date, rows_expected, state, lease_until, begun_by, begun_at)
     VALUES ($1, $2, $3, $4, 'importing', ${nowMs} + $5, $6, $7)
     ON CONFLICT (network, file_id) WHERE state <> 'rejected' DO NOTHING
     RETURNING file_key, attempt`,
    [header.fileId, header.network, header.settlementDate, header.rows, leaseMs, begun.by, begun.at],
  );
  const row = rows[0];
  return row === undefined ? null : { fileKey: row.file_key, attempt: row.attempt, leaseMs };
}

/** Takes over a file whose import broke off, with the new header; null while its importer is alive. */
export async function takeOverFile(
  sql: Sql,
  taken: {
    readonly fileKey: number;
    readonly header: FileHeader;
    readonly leaseMs: number;
    readonly by: string;
    readonly at: number;
  },
): Promise<Claim | null> {
  const { fileKey, header, leaseMs } = taken;
  const { rows } = await sql.query<{ attempt: number }>(
    `UPDATE settlement_file
     SET attempt = attempt + 1, lease_until = ${nowMs} + $2, settlement_date = $3, rows_expected = $4, begun_by = $5, begun_at = $6
     WHERE file_key = $1 AND state = 'importing' AND lease_until < ${nowMs}
     RETURNING attempt`,
    [fileKey, leaseMs, header.settlementDate, header.rows, taken.by, taken.at],
  );
  const row = rows[0];
  return row === undefined ? null : { fileKey, attempt: row.attempt, leaseMs };
}

/** Renews the lease, with what was read so far; false when the file is lost to another. Keeps the file locked until the transaction ends. */
export async function renewClaim(
  sql: Sql,
  claim: Claim,
  read: { readonly rowsRead: number; readonly malformed: number },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE settlement_file SET lease_until = ${nowMs} + $3, rows_read = $4, malformed = $5
     WHERE file_key = $1 AND attempt = $2 AND state = 'importing'`,
    [claim.fileKey, claim.attempt, claim.leaseMs, read.rowsRead, read.malformed],
  );
  return rowCount === 1;
}

/** Lets go of a file whose import broke off here, so that nobody has to wait for the lease to run out. */
export async function releaseClaim(sql: Sql, claim: Claim): Promise<void> {
  await sql.query(
    `UPDATE settlement_file SET lease_until = 0 WHERE file_key = $1 AND attempt = $2 AND state = 'importing'`,
    [claim.fileKey, claim.attempt],
  );
}

/** What a file was when the whole of it had been read. */
export interface ReadFile {
  readonly rowsRead: number;
  readonly malformed: number;
  readonly lastLine: number;
  readonly sha256: Buffer;
}

/** A whole file with the right trailer: from now on it counts. The turn must be held. False when the file is lost to another. */
export async function receiveFile(
  sql: Sql,
  claim: Claim,
  received: ReadFile & { readonly trailer: FileTrailer; readonly unreadAmount: bigint },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `WITH turn AS (UPDATE settlement_turn SET last_order = last_order + 1 RETURNING last_order)
     UPDATE settlement_file SET state = 'matching', order_no = (SELECT last_order FROM turn), sha256 = $3, rows_read = $4,
       malformed = $5, last_line = $6, debits = $7, credits = $8, unread_amount = $9
     WHERE file_key = $1 AND attempt = $2 AND state = 'importing'`,
    [
      claim.fileKey,
      claim.attempt,
      received.sha256,
      received.rowsRead,
      received.malformed,
      received.lastLine,
      received.trailer.debits,
      received.trailer.credits,
      received.unreadAmount,
    ],
  );
  return rowCount === 1;
}

/** A whole file that is wrong; its rows are still there. The turn must be held. False when the file is lost to another. */
export async function rejectFile(
  sql: Sql,
  claim: Claim,
  rejected: ReadFile & { readonly reason: RejectionReason; readonly at: number },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE settlement_file SET state = 'rejected', reason = $3, sha256 = $4, rows_read = $5, malformed = $6, last_line = $7, ended_at = $8
     WHERE file_key = $1 AND attempt = $2 AND state = 'importing'`,
    [
      claim.fileKey,
      claim.attempt,
      rejected.reason,
      rejected.sha256,
      rejected.rowsRead,
      rejected.malformed,
      rejected.lastLine,
      rejected.at,
    ],
  );
  return rowCount === 1;
}

/** The file that was rejected with this content. */
export async function selectRejected(sql: Sql, sha256: Buffer): Promise<number | null> {
  const { rows } = await sql.query<{ file_key: number }>(
    `SELECT file_key FROM settlement_file WHERE sha256 = $1 AND state = 'rejected'`,
    [sha256],
  );
  return rows[0]?.file_key ?? null;
}

/** Removes an import that has nothing to add: its rows must be gone. */
export async function deleteFile(sql: Sql, claim: Claim): Promise<void> {
  await sql.query(`DELETE FROM settlement_file WHERE file_key = $1 AND attempt = $2 AND state = 'importing'`, [
    claim.fileKey,
    claim.attempt,
  ]);
}

/** Files that somebody who died has left to do: rows to match, or rows of a rejected file to remove. */
export async function selectUnfinished(
  sql: Sql,
): Promise<readonly { readonly fileKey: number; readonly state: FileState }[]> {
  const { rows } = await sql.query<{ file_key: number; state: FileState }>(
    `SELECT file_key, state FROM settlement_file
     WHERE state = 'matching' OR (state = 'rejected' AND has_rows) ORDER BY file_key LIMIT 10`,
  );
  return rows.map((row) => ({ fileKey: row.file_key, state: row.state }));
}

export async function markRowsRemoved(sql: Sql, fileKey: number): Promise<void> {
  await sql.query(`UPDATE settlement_file SET has_rows = false WHERE file_key = $1 AND state = 'rejected'`, [fileKey]);
}
