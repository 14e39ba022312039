import type { Pool } from "pg";
import { verifyLedger } from "../apps/server/src/ledger/index.ts";

/** What the ledger says after a run, against what callers were told. */
export interface LedgerCheck {
  readonly ok: boolean;
  readonly verified: boolean;
  /** Answers "approved" that callers got. */
  readonly approved: number;
  /** Holds that are open: the history's are all posted, so each is an approval of this run. */
  readonly holds: number;
}

/** Each approval must be one open hold and each open hold one approval, and every rule of the ledger must hold. */
export async function checkLedger(pool: Pool, approved: number): Promise<LedgerCheck> {
  const report = await verifyLedger(pool);
  const holds = report.openHolds;
  return { ok: report.ok && holds === approved, verified: report.ok, approved, holds };
}
