import type { Weight } from "./check.ts";
import type { CheckResult } from "./report.ts";

export const grades = ["A", "B", "C", "D", "F"] as const;
export type Grade = (typeof grades)[number];

/** The best grade that is left when a check of this weight has failed. */
export const capOf: Readonly<Record<Weight, Grade>> = {
  vital: "F",
  security: "D",
  money: "D",
  contract: "C",
  minor: "B",
};

/** More failures that each are minor make an endpoint that is not careful. */
export const minorFailuresMax = 2;

/**
 * The worst cap of all failures; C when more than two minor ones failed; at best B when the run's time or the grader's machine
 * did not suffice for all checks, since nobody knows what they would have shown.
 */
export function gradeOf(checks: readonly CheckResult[]): Grade {
  const failures = checks.filter(({ ok }) => ok === false);
  const caps: Grade[] = failures.map(({ weight }) => capOf[weight]);
  if (failures.filter(({ weight }) => weight === "minor").length > minorFailuresMax) {
    caps.push("C");
  }
  if (checks.some(({ skipped }) => skipped === "time" || skipped === "busy")) {
    caps.push("B");
  }
  return caps.reduce<Grade>((worst, cap) => (isWorse(cap, worst) ? cap : worst), "A");
}

/** True when `grade` is as good as `least` or better. */
export function isAtLeast(grade: Grade, least: Grade): boolean {
  return !isWorse(grade, least);
}

function isWorse(grade: Grade, than: Grade): boolean {
  return grades.indexOf(grade) > grades.indexOf(than);
}
