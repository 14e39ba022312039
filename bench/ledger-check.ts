import { verifyLedger } from "../apps/server/src/ledger/index.ts";
import type { Stand } from "./stand.ts";

/** What the ledger says after a run, against what callers were told. */
export interface LedgerCheck {
  readonly ok: boolean;
  /** Rules of `verify` that are broken. */
  readonly broken: readonly string[];
  /** Answers "approved" that callers got. */
  readonly approved: number;
  /** Holds that are open: the history's are all posted, so each is an approval of this run. */
  readonly holds: number;
}

/** Each approval must be one open hold and each open hold one approval, and every rule of the ledger must hold. */
export async function checkLedger(stand: Stand): Promise<LedgerCheck> {
  const report = await verifyLedger(stand.pool);
  const { openHolds: holds } = report;
  const broken = report.broken.map(({ rule }) => rule);
  return { ok: report.ok && holds === stand.approved, broken, approved: stand.approved, holds };
}
