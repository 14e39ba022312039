import { callbackLimits } from "./limits.ts";

/**
 * How many pushes a merchant is sent at once. It begins low and grows as long as answers are good and as fast as usual: doubling until
 * the first trouble, then by one for each windowful. A failure halves it, and so do answers that got slow; so a merchant that comes back
 * after a day finds its own pace, and one that hangs is left almost alone. The numbers are those of TCP's congestion control.
 *
 * Slow is the mean of many answers against the mean at half the window, not one answer against the best: a merchant whose answers take
 * anything from 0 to 400 ms would be slow for itself most of the time. When a window that got slow was halved, what is usual is found
 * anew before it grows again. If the merchant slows down under our load, that is as fast as before, and the window stays between the two;
 * if it has become slower by itself, that is its new pace.
 */
export interface Pace {
  /** Pushes in flight at most; at least 1. */
  window: number;
  /** Until the first trouble each good answer adds one, afterwards one divided by the window. */
  doubling: boolean;
  /** Smoothed, in milliseconds, for what is claimed ahead; 0 before the first answer. */
  latencyMs: number;
  /** Good answers since it began to be found out what is usual, and how many that takes. */
  answers: number;
  usualAnswers: number;
  /** The mean of the last good answers, milliseconds. */
  recentMs: number;
  /** The mean of the first ones; follows a merchant that got faster, slowly, so that a few lucky answers are forgotten. */
  usualMs: number;
  /** Machine time: only what was sent after the window was last cut says something about the window as it is. */
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
    answers: 0,
    usualAnswers: usualAnswersAt(callbackLimits.windowFirst),
    recentMs: 0,
    usualMs: 0,
    cutAtMs: Number.NEGATIVE_INFINITY,
  };
}

export function paceAfter(pace: Pace, { startedMs, endedMs, good, pressed }: PacedTry): void {
  const tookMs = endedMs - startedMs;
  pace.latencyMs = pace.latencyMs === 0 ? tookMs : pace.latencyMs + (tookMs - pace.latencyMs) / 8;
  if (startedMs < pace.cutAtMs) {
    return;
  }
  if (good) {
    learn(pace, tookMs);
  }
  const slow = isSlow(pace);
  if (!good || slow) {
    pace.window = Math.max(1, Math.floor(pace.window / 2));
    pace.doubling = false;
    pace.cutAtMs = endedMs;
    if (slow) {
      forgetUsual(pace);
    }
  } else if (pressed && (pace.doubling || knowsUsual(pace))) {
    pace.window = Math.min(callbackLimits.triesOfMerchantMax, pace.window + (pace.doubling ? 1 : 1 / pace.window));
  }
}

function learn(pace: Pace, tookMs: number): void {
  pace.answers += 1;
  pace.recentMs += (tookMs - pace.recentMs) / Math.min(pace.answers, callbackLimits.recentAnswers);
  if (pace.answers <= pace.usualAnswers) {
    pace.usualMs = pace.recentMs;
  } else if (pace.recentMs < pace.usualMs) {
    pace.usualMs += (pace.recentMs - pace.usualMs) / callbackLimits.usualForgottenAnswers;
  }
}

function knowsUsual({ answers, usualAnswers }: Pace): boolean {
  return answers >= usualAnswers;
}

/** Of those that are sent together the quick ones are back first: that must not look usual. */
function usualAnswersAt(window: number): number {
  return Math.max(callbackLimits.usualAnswersMin, callbackLimits.usualWindowfuls * window);
}

function forgetUsual(pace: Pace): void {
  pace.answers = 0;
  pace.usualAnswers = usualAnswersAt(pace.window);
  pace.recentMs = 0;
  pace.usualMs = 0;
}

/** Nothing is known any more: the merchant is probed, and what it answers then decides. */
export function startAnew(pace: Pace): void {
  pace.window = 1;
  pace.doubling = true;
  forgetUsual(pace);
}

/** Pushes that may be claimed for a merchant, those in flight included: what it takes in about a second, far within the lease. */
export function claimMaxOf({ window, latencyMs }: Pace): number {
  const windowsAhead = latencyMs === 0 ? 1 : Math.max(1, Math.floor(callbackLimits.claimAheadMs / latencyMs));
  return Math.min(callbackLimits.claimedOfMerchantMax, Math.max(1, Math.floor(window) * windowsAhead));
}

/**
 * Below twice the usual: where answers take as long as the line before them, a window that got slow and is halved is as fast as usual,
 * and stops at the same place again.
 */
const slowFactor = 1.75;

function isSlow(pace: Pace): boolean {
  const { recentMs, usualMs } = pace;
  return knowsUsual(pace) && recentMs > callbackLimits.slowAnswerMs && recentMs > slowFactor * usualMs;
}
