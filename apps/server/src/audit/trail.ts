import type { Pool } from "pg";
import { inTransaction } from "#database/index.ts";
import type { Clock } from "#kernel/index.ts";
import { appendAudit } from "./append.ts";
import type { AuditEntry } from "./entry.ts";

/**
 * Writes down what somebody is about to do, where the change itself is no transaction that could hold the entry: before it is done,
 * so that nothing is done which is not written down. An entry whose action a crash has prevented is one that may be done again.
 */
export interface AuditTrail {
  append(entry: Omit<AuditEntry, "at">): Promise<void>;
}

export function createAuditTrail({ pool, clock }: { readonly pool: Pool; readonly clock: Clock }): AuditTrail {
  return {
    append: (entry) => inTransaction(pool, (tx) => appendAudit(tx, { ...entry, at: clock.now() })),
  };
}
