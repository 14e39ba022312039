import { callbackLimits } from "./limits.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** Contract section 6: the wait after the first failure, the second, and so on. */
const waitsMs = [
  5 * second,
  30 * second,
  2 * minute,
  10 * minute,
  30 * minute,
  hour,
  2 * hour,
  4 * hour,
  8 * hour,
] as const;
const lastWaitMs = 12 * hour;
/** Each wait is up to a tenth shorter or longer, so that pushes which failed together do not come back together. */
const jitterShare = 0.1;

export interface FailedTry {
  /** Failures of this schedule, this one included. */
  readonly failures: number;
  readonly firstFailedAtMs: number;
  readonly nowMs: number;
  /** From 0 up to, not including, 1. */
  readonly random: number;
}

/** When a push that failed is tried again, in Unix ms; `null` when its 30 days are over. */
export function nextTryAt({ failures, firstFailedAtMs, nowMs, random }: FailedTry): number | null {
  const waitMs = (waitsMs[failures - 1] ?? lastWaitMs) * (1 - jitterShare + 2 * jitterShare * random);
  const nextMs = Math.round(nowMs + waitMs);
  return nextMs > firstFailedAtMs + callbackLimits.retriesEndAfterMs ? null : nextMs;
}
