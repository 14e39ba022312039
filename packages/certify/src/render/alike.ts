import type { CheckResult } from "../report.ts";

/** Checks that are told of together: one alone, or several that were skipped for one reason. */
export type Alike = readonly [CheckResult, ...CheckResult[]];

/**
 * In order of their first: who chose three checks, or whose endpoint does not answer, does not want to read of ninety others one by
 * one.
 */
export function alikeIn(checks: readonly CheckResult[]): readonly Alike[] {
  const together = new Map<string, [CheckResult, ...CheckResult[]]>();
  for (const check of checks) {
    const key = check.ok === null ? `skipped ${check.saw}` : check.id;
    const others = together.get(key);
    if (others === undefined) {
      together.set(key, [check]);
    } else {
      others.push(check);
    }
  }
  return [...together.values()];
}
