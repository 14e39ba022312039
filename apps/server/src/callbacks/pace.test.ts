import { expect, test } from "vitest";
import { callbackLimits } from "./limits.ts";
import { claimMaxOf, freshPace, type Pace, paceAfter, startAnew } from "./pace.ts";

/** A merchant that answers everything in the same time, as long as its window is full; machine time in milliseconds. */
function answerTimes(
  pace: Pace,
  run: { readonly count: number; readonly tookMs: number; readonly atMs: number },
): void {
  for (let i = 0; i < run.count; i += 1) {
    paceAfter(pace, { startedMs: run.atMs, endedMs: run.atMs + run.tookMs, good: true, pressed: true });
  }
}

test("a window doubles with each windowful of fast answers and stops at its maximum", () => {
  const pace = freshPace();
  answerTimes(pace, { count: 8, tookMs: 5, atMs: 0 });
  expect(pace.window).toBe(16);
  answerTimes(pace, { count: 16, tookMs: 5, atMs: 5 });
  expect(pace.window).toBe(32);
  answerTimes(pace, { count: 1_000, tookMs: 5, atMs: 10 });
  expect(pace.window).toBe(callbackLimits.triesOfMerchantMax);
});

test("a failure halves it once for all that was under way, and then it grows by one for each windowful", () => {
  const pace = freshPace();
  answerTimes(pace, { count: 24, tookMs: 5, atMs: 0 });
  for (let i = 0; i < 32; i += 1) {
    paceAfter(pace, { startedMs: 100, endedMs: 200 + i, good: false, pressed: true });
  }
  expect(pace.window).toBe(16);
  answerTimes(pace, { count: 17, tookMs: 5, atMs: 300 });
  expect(Math.floor(pace.window)).toBe(17);
});

test("it never falls below one, and answers that get slow halve it as failures do", () => {
  const pace = freshPace();
  answerTimes(pace, { count: 24, tookMs: 5, atMs: 0 });
  paceAfter(pace, { startedMs: 100, endedMs: 400, good: true, pressed: true });
  expect(pace.window).toBe(16);
  for (let i = 0; i < 20; i += 1) {
    paceAfter(pace, { startedMs: 1_000 * i + 1_000, endedMs: 1_000 * i + 1_500, good: false, pressed: true });
  }
  expect(pace.window).toBe(1);
});

test("a merchant that is always slow is not slow for itself, and one that is not pressed keeps its window", () => {
  const pace = freshPace();
  for (let i = 0; i < 50; i += 1) {
    paceAfter(pace, { startedMs: 1_000 * i, endedMs: 1_000 * i + 800, good: true, pressed: true });
  }
  expect(pace.window).toBe(58);
  paceAfter(pace, { startedMs: 100_000, endedMs: 100_800, good: true, pressed: false });
  expect(pace.window).toBe(58);
});

test("what is claimed ahead is about a second's worth, and only the window itself while nothing is known or answers are slow", () => {
  const pace = freshPace();
  expect(claimMaxOf(pace)).toBe(8);
  answerTimes(pace, { count: 4, tookMs: 10, atMs: 0 });
  expect(claimMaxOf(pace)).toBe(512);
  answerTimes(pace, { count: 100, tookMs: 2_000, atMs: 0 });
  expect(claimMaxOf(pace)).toBe(Math.floor(pace.window));
  startAnew(pace);
  expect(claimMaxOf(pace)).toBe(1);
});
