import type { Sql } from "#database/index.ts";
import { type AuditEntry, type ChainedEntry, detailText, entryHash } from "./entry.ts";
import { insertEntry, lockHead } from "./store.ts";

/**
 * Writes down what was done, in the caller's transaction: it stays exactly when the change stays. The end of the merchant's
 * chain is locked until the transaction ends, so call it after the caller's own rows and before the ledger's accounts, which
 * everybody locks last.
 */
export async function appendAudit(tx: Sql, entry: AuditEntry): Promise<void> {
  const detail = detailText(entry.detail);
  const head = await lockHead(tx, entry.merchantId);
  const chained: ChainedEntry = {
    merchantId: entry.merchantId,
    entryNo: head.entries + 1n,
    // A lone surrogate would be stored as U+FFFD and no longer give the hash.
    actor: entry.actor.toWellFormed(),
    requestId: (entry.requestId ?? "").toWellFormed(),
    action: entry.action,
    subject: entry.subject.toWellFormed(),
    detail,
    at: entry.at,
  };
  await insertEntry(tx, { ...chained, previousHash: head.hash, hash: entryHash(head.hash, chained) });
}
