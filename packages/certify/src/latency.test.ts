import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { latenciesOf, latencyReport, loadResult, newLatencyLog, percentilesOf } from "./latency.ts";
import { openLoop, plannedArrivals } from "./open-loop.ts";
import { randomOf } from "./random.ts";

const signal = new AbortController().signal;

test("percentiles are values that were measured, by nearest rank", () => {
  const values = Array.from({ length: 1000 }, (_, index) => 1000 - index);
  expect(percentilesOf(values)).toEqual({ p50Ms: 500, p95Ms: 950, p99Ms: 990, p999Ms: 999, maxMs: 1000 });
  expect(percentilesOf([])).toEqual({ p50Ms: 0, p95Ms: 0, p99Ms: 0, p999Ms: 0, maxMs: 0 });
});

test("what was not answered, or late, is not in time; what was answered exactly at the deadline is", () => {
  const timed = [800, 801, null, 5].map((latencyMs) => ({ latencyMs, ownDelayMs: 0 }));
  expect(loadResult(timed, { rate: 10, deadlineMs: 800 })).toMatchObject({
    asked: 4,
    answered: 3,
    inTime: 2,
    maxMs: 801,
  });
  expect(latenciesOf(timed)).toEqual([800, 801, 5]);
});

test("the bars of the histogram hold every answer once, those at 800 ms and later apart", () => {
  const log = { ...newLatencyLog(), all: [0, 0.5, 1, 799.9, 800, 10_000] };
  const { histogram } = latencyReport(log, 800);
  expect(histogram.reduce((sum, { count }) => sum + count, 0)).toBe(log.all.length);
  expect(histogram.find(({ fromMs }) => fromMs === 800)?.count).toBe(1);
  expect(histogram.at(-1)).toEqual({ fromMs: 3200, toMs: null, count: 1 });
});

test("arrivals follow from the seed, ascend, stay within the time and come at the rate in the mean", () => {
  const plan = { rate: 200, seconds: 20 };
  const arrivals = plannedArrivals(randomOf(1, "load"), plan);
  expect(plannedArrivals(randomOf(1, "load"), plan)).toEqual(arrivals);
  expect(plannedArrivals(randomOf(2, "load"), plan)).not.toEqual(arrivals);
  expect(arrivals.toSorted((a, b) => a - b)).toEqual(arrivals);
  expect(arrivals.at(-1)).toBeLessThan(20_000);
  expect(arrivals.length).toBeGreaterThan(3_600);
  expect(arrivals.length).toBeLessThan(4_400);
});

test("a stall of the endpoint is in the latency of everybody who came during it, since waiting counts from the plan", async () => {
  let stalled: Promise<void> | undefined;
  const once = async (): Promise<boolean> => {
    // As behind one lock: whoever comes waits for the one stall.
    stalled ??= sleep(300);
    await stalled;
    return true;
  };
  const timed = await openLoop([0, 50, 100, 150], { once, signal });
  const latencies = latenciesOf(timed);
  expect(latencies).toHaveLength(4);
  expect(Math.min(...latencies)).toBeGreaterThanOrEqual(140);
});

test("a request that got no usable answer has no latency", async () => {
  const timed = await openLoop([0, 1], { once: async (index) => index === 0, signal });
  expect(timed.map(({ latencyMs }) => latencyMs === null)).toEqual([false, true]);
});
