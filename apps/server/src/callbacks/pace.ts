import { callbackLimits } from "./limits.ts";

/**
 * How many pushes a merchant is sent at once. It begins low and grows as long as answers are good and fast: doubling until the first
 * trouble, then by one for each windowful. A failure halves it, and so do answers that get slow; so a merchant that comes back after a
 * day finds its own pace, and one that hangs is left almost alone. The numbers are those of TCP's congestion control.
 */
export interface Pace {
  /** Pushes in flight at most; at least 1. */
  window: number;
  /** Until the first trouble each good answer adds one, afterwards one divided by the window. */
  doubling: boolean;
  /** Smoothed, in milliseconds; 0 before the first answer. */
  latencyMs: number;
  /** What this merchant can do when it is not pressed; drifts up slowly, so that one lucky answer is forgotten. */
  bestMs: number;
  /** Machine time: only what was sent after the window was last cut may cut it again. */
  cutAtMs: number;
}

export interface PacedTry {
  /** Machine time, from `performance.now()`. */
  readonly startedMs: number;
  readonly endedMs: number;
  readonly good: boolean;
  /** More was waiting than the window let through; otherwise a good answer says nothing about a larger window. */
  readonly pressed: boolean;
}

export function freshPace(): Pace {
  return {
    window: callbackLimits.windowFirst,
    doubling: true,
    latencyMs: 0,
    bestMs: Number.POSITIVE_INFINITY,
    cutAtMs: Number.NEGATIVE_INFINITY,
  };
}

export function paceAfter(pace: Pace, { startedMs, endedMs, good, pressed }: PacedTry): void {
  const tookMs = endedMs - startedMs;
  pace.latencyMs = pace.latencyMs === 0 ? tookMs : pace.latencyMs + (tookMs - pace.latencyMs) / 8;
  if (!good || isSlow(pace, tookMs)) {
    if (startedMs >= pace.cutAtMs) {
      pace.window = Math.max(1, Math.floor(pace.window / 2));
      pace.doubling = false;
      pace.cutAtMs = endedMs;
    }
  } else if (pressed) {
    pace.window = Math.min(callbackLimits.triesOfMerchantMax, pace.window + (pace.doubling ? 1 : 1 / pace.window));
  }
  if (good) {
    pace.bestMs = tookMs < pace.bestMs ? tookMs : pace.bestMs + (tookMs - pace.bestMs) / 1_000;
  }
}

/** Nothing is known any more: the merchant is probed, and what it answers then decides. */
export function startAnew(pace: Pace): void {
  pace.window = 1;
  pace.doubling = true;
}

/** Pushes that may be claimed for a merchant, those in flight included: what it takes in about a second, far within the lease. */
export function claimMaxOf({ window, latencyMs }: Pace): number {
  const windowsAhead = latencyMs === 0 ? 1 : Math.max(1, Math.floor(callbackLimits.claimAheadMs / latencyMs));
  return Math.min(callbackLimits.claimedOfMerchantMax, Math.max(1, Math.floor(window) * windowsAhead));
}

function isSlow({ bestMs }: Pace, tookMs: number): boolean {
  return tookMs > callbackLimits.slowAnswerMs && tookMs > 4 * bestMs;
}
