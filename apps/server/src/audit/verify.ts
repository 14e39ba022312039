import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import { chainStart, entryHash } from "./entry.ts";
import { type ChainHead, type StoredEntry, selectEntries, selectHeadless, selectHeads } from "./store.ts";

export interface AuditSummary {
  readonly chains: number;
  readonly entries: number;
}

/** The first row that does not fit, and how. */
export interface BrokenEntry {
  readonly merchantId: number;
  readonly entryNo: bigint;
  /**
   * `missing`: the number before it, or the end of the chain, is not there. `detached`: it does not follow the hash before it.
   * `changed`: its content does not give its hash. `head_differs`: the chain's end names another last entry.
   */
  readonly fault: "missing" | "detached" | "changed" | "head_differs";
}

/** Rows that are in memory at a time. */
const pageSize = 1000;

/** Recomputes every chain from its first entry on one snapshot; answers how much there was, or the first broken row. */
export async function verifyAudit(pool: Pool): Promise<Result<AuditSummary, BrokenEntry>> {
  return inTransaction(pool, (sql) => verifyChains(sql), { isolation: "REPEATABLE READ" });
}

async function verifyChains(sql: Sql): Promise<Result<AuditSummary, BrokenEntry>> {
  const headless = await selectHeadless(sql);
  if (headless !== null) return refused({ ...headless, fault: "missing" as const });
  let chains = 0;
  let entries = 0;
  let afterMerchantId = -1;
  for (;;) {
    const heads = await selectHeads(sql, { afterMerchantId, limit: pageSize });
    for (const head of heads) {
      const broken = await verifyChain(sql, head);
      if (broken !== null) return refused(broken);
      chains += 1;
      entries += Number(head.entries);
      afterMerchantId = head.merchantId;
    }
    if (heads.length < pageSize) return ok({ chains, entries });
  }
}

async function verifyChain(sql: Sql, head: ChainHead): Promise<BrokenEntry | null> {
  const { merchantId } = head;
  let entryNo = 0n;
  let hash: Buffer = chainStart;
  for (;;) {
    const page = await selectEntries(sql, { merchantId, afterEntryNo: entryNo, limit: pageSize });
    for (const entry of page) {
      const fault = faultOf(entry, { entryNo, hash });
      if (fault !== null) return { merchantId, entryNo: entry.entryNo, fault };
      ({ entryNo, hash } = entry);
    }
    if (page.length < pageSize) break;
  }
  if (entryNo < head.entries) return { merchantId, entryNo: entryNo + 1n, fault: "missing" };
  return entryNo === head.entries && hash.equals(head.hash) ? null : { merchantId, entryNo, fault: "head_differs" };
}

function faultOf(entry: StoredEntry, previous: { entryNo: bigint; hash: Buffer }): BrokenEntry["fault"] | null {
  if (entry.entryNo !== previous.entryNo + 1n) return "missing";
  if (!entry.previousHash.equals(previous.hash)) return "detached";
  return entryHash(previous.hash, entry).equals(entry.hash) ? null : "changed";
}
