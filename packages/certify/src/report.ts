import type { Group, Weight } from "./check.ts";
import type { Grade } from "./grade.ts";
import type { LatencyReport } from "./latency.ts";
import type { Mode } from "./options.ts";

/**
 * Why a check was not made: not of this mode, left out by the caller, something it needs failed, nothing there to see, the run's time
 * was used up, or the grader's own machine was too busy.
 */
export type SkipReason = "mode" | "choice" | "need" | "nothing_to_judge" | "time" | "busy";

export interface CheckResult {
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly weight: Weight;
  /** Null: skipped; `saw` says why. */
  readonly ok: boolean | null;
  readonly skipped: SkipReason | null;
  readonly proves: string;
  readonly saw: string;
  readonly mend: string;
  readonly tookMs: number;
}

/** What `cardwright certify --json` prints. Keys are stable: new ones may be added, none is renamed or removed. */
export interface CertifyReport {
  readonly grade: Grade;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly checks: readonly CheckResult[];
  readonly latency: LatencyReport;
  readonly seed: number;
  readonly url: string;
  readonly mode: Mode;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly tookMs: number;
  /** Requests sent to the merchant in all. */
  readonly requests: number;
  /** Purchases of the run that could not be reversed or refunded; 0 unless the merchant refused that or did not answer any more. */
  readonly leftOpen: number;
}
