import type { Sql } from "#database/index.ts";
import { type ChainedEntry, chainStart } from "./entry.ts";

export interface ChainHead {
  readonly merchantId: number;
  readonly entries: bigint;
  readonly hash: Buffer;
}

/** An entry with both hashes as they lie in the table. */
export interface StoredEntry extends ChainedEntry {
  readonly previousHash: Buffer;
  readonly hash: Buffer;
}

/** Locks the end of a chain, which begins here when it is new. Its lock lasts until the transaction ends. */
export async function lockHead(sql: Sql, merchantId: number): Promise<ChainHead> {
  const { rows } = await sql.query<{ entries: bigint; hash: Buffer }>({
    name: "audit_lock_head",
    text: `INSERT INTO audit_head AS h (merchant_id, entries, hash) VALUES ($1, 0, $2)
           ON CONFLICT (merchant_id) DO UPDATE SET entries = h.entries
           RETURNING h.entries, h.hash`,
    values: [merchantId, chainStart],
  });
  const head = rows[0];
  if (head === undefined) throw new Error("audit: the end of a chain could not be locked");
  return { merchantId, ...head };
}

export async function insertEntry(sql: Sql, entry: StoredEntry): Promise<void> {
  const { merchantId, entryNo, actor, requestId, action, subject, detail, at, previousHash, hash } = entry;
  await sql.query({
    name: "audit_insert_entry",
    text: `WITH moved AS (UPDATE audit_head SET entries = $2, hash = $10 WHERE merchant_id = $1)
           INSERT INTO audit_entry (merchant_id, entry_no, actor, request_id, action, subject, detail, at, previous_hash, hash)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    values: [merchantId, entryNo, actor, requestId, action, subject, detail, at, previousHash, hash],
  });
}

export async function selectHeads(
  sql: Sql,
  page: { readonly afterMerchantId: number; readonly limit: number },
): Promise<ChainHead[]> {
  const { rows } = await sql.query<{ merchant_id: number; entries: bigint; hash: Buffer }>(
    "SELECT merchant_id, entries, hash FROM audit_head WHERE merchant_id > $1 ORDER BY merchant_id LIMIT $2",
    [page.afterMerchantId, page.limit],
  );
  return rows.map((row) => ({ merchantId: row.merchant_id, entries: row.entries, hash: row.hash }));
}

interface EntryRow {
  merchant_id: number;
  entry_no: bigint;
  actor: string;
  request_id: string;
  action: string;
  subject: string;
  detail: string;
  at: bigint;
  previous_hash: Buffer;
  hash: Buffer;
}

/** A chain from an entry on, in order. */
export async function selectEntries(
  sql: Sql,
  page: { readonly merchantId: number; readonly afterEntryNo: bigint; readonly limit: number },
): Promise<StoredEntry[]> {
  const { rows } = await sql.query<EntryRow>(
    `SELECT merchant_id, entry_no, actor, request_id, action, subject, detail, at, previous_hash, hash
     FROM audit_entry WHERE merchant_id = $1 AND entry_no > $2 ORDER BY entry_no LIMIT $3`,
    [page.merchantId, page.afterEntryNo, page.limit],
  );
  return rows.map((row) => ({
    merchantId: row.merchant_id,
    entryNo: row.entry_no,
    actor: row.actor,
    requestId: row.request_id,
    action: row.action,
    subject: row.subject,
    detail: row.detail,
    at: Number(row.at),
    previousHash: row.previous_hash,
    hash: row.hash,
  }));
}

/** The first entry, in key order, of a chain whose end does not exist. */
export async function selectHeadless(sql: Sql): Promise<{ merchantId: number; entryNo: bigint } | null> {
  const { rows } = await sql.query<{ merchant_id: number; entry_no: bigint }>(
    `SELECT e.merchant_id, e.entry_no FROM audit_entry e
     WHERE e.entry_no = (SELECT min(f.entry_no) FROM audit_entry f WHERE f.merchant_id = e.merchant_id)
       AND NOT EXISTS (SELECT FROM audit_head h WHERE h.merchant_id = e.merchant_id)
     ORDER BY e.merchant_id LIMIT 1`,
  );
  const row = rows[0];
  return row === undefined ? null : { merchantId: row.merchant_id, entryNo: row.entry_no };
}
