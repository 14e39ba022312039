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
  // Eight more until it is known what is usual.
  answerTimes(pace, { count: 7 + 17, tookMs: 5, atMs: 300 });
  expect(Math.floor(pace.window)).toBe(17);
});

test("it never falls below one, and answers that get slow halve it as failures do, once", () => {
  const pace = freshPace();
  answerTimes(pace, { count: 56, tookMs: 5, atMs: 0 });
  expect(pace.window).toBe(64);
  for (let i = 0; i < 64; i += 1) {
    paceAfter(pace, { startedMs: 100, endedMs: 500 + i, good: true, pressed: true });
  }
  expect(pace.window).toBe(32);
  for (let i = 0; i < 20; i += 1) {
    paceAfter(pace, { startedMs: 1_000 * i + 1_000, endedMs: 1_000 * i + 1_500, good: false, pressed: true });
  }
  expect(pace.window).toBe(1);
});

/** A merchant whose window is always full: what it takes for an answer may depend on how many others it works on. */
function play(
  pace: Pace,
  run: { readonly answers: number; readonly tookMs: (at: { inFlight: number; answer: number }) => number },
): { readonly endedMs: number; readonly windows: readonly number[] } {
  const inFlight: { startedMs: number; endedMs: number }[] = [];
  const windows: number[] = [];
  let nowMs = 0;
  let started = 0;
  while (windows.length < run.answers) {
    for (; inFlight.length < Math.floor(pace.window); started += 1) {
      const tookMs = run.tookMs({ inFlight: inFlight.length + 1, answer: started });
      inFlight.push({ startedMs: nowMs, endedMs: nowMs + tookMs });
    }
    inFlight.sort((a, b) => a.endedMs - b.endedMs);
    const next = inFlight.shift() ?? { startedMs: nowMs, endedMs: nowMs };
    nowMs = next.endedMs;
    paceAfter(pace, { ...next, good: true, pressed: true });
    windows.push(pace.window);
  }
  return { endedMs: nowMs, windows };
}

/** From 0 to 400 ms, each as often as any other, in an order that looks like chance and is always the same. */
const anythingTo400 = (answer: number): number => (answer * 157) % 401;

test("a merchant whose answers take anything from 0 to 400 ms gets the whole window", () => {
  const { windows } = play(freshPace(), { answers: 4_000, tookMs: ({ answer }) => anythingTo400(answer) });
  expect(Math.min(...windows.slice(200))).toBeGreaterThanOrEqual(callbackLimits.triesOfMerchantMax / 2);
  expect(windows.at(-1)).toBe(callbackLimits.triesOfMerchantMax);
});

test.each([0, 1])(
  "one that works on 8 at once and lets the others wait gets less, and is kept busy: chance %d",
  (chance) => {
    const answers = 20_000;
    // 50 ms for each; with chance from 0 to 100 ms.
    const workMs = (answer: number): number => 50 + chance * (anythingTo400(answer) / 4 - 50);
    const { windows, endedMs } = play(freshPace(), {
      answers,
      tookMs: ({ inFlight, answer }) => workMs(answer) * Math.max(1, inFlight / 8),
    });
    const later = windows.slice(answers / 2);
    expect(Math.max(...later)).toBeLessThanOrEqual(callbackLimits.triesOfMerchantMax / 2);
    expect(Math.min(...later)).toBeGreaterThanOrEqual(7);
    // All it can do is 8 in 50 ms.
    expect(answers / endedMs).toBeGreaterThan(0.9 * (8 / 50));
  },
);

test("one that has become ten times slower by itself loses half of its window once, and gets it back", () => {
  const pace = freshPace();
  const before = 1_000;
  const { windows } = play(pace, { answers: 8_000, tookMs: ({ answer }) => (answer < before ? 30 : 300) });
  expect(windows[before - 1]).toBe(callbackLimits.triesOfMerchantMax);
  expect(Math.min(...windows.slice(before))).toBe(callbackLimits.triesOfMerchantMax / 2);
  expect(windows.at(-1)).toBe(callbackLimits.triesOfMerchantMax);
});

test("one that has become faster is compared with its new usual after some thousand answers", () => {
  const pace = freshPace();
  play(pace, { answers: 8_000, tookMs: ({ answer }) => (answer < 1_000 ? 400 : 150) });
  expect(pace.usualMs).toBeLessThan(160);
  const { windows } = play(pace, { answers: 200, tookMs: () => 400 });
  expect(Math.min(...windows)).toBe(callbackLimits.triesOfMerchantMax / 2);
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
  expect(claimMaxOf(pace)).toBe(1_024);
  answerTimes(pace, { count: 100, tookMs: 2_000, atMs: 0 });
  expect(claimMaxOf(pace)).toBe(Math.floor(pace.window));
  startAnew(pace);
  expect(claimMaxOf(pace)).toBe(1);
});
