import { expect, test } from "vitest";
import { createMetrics, type Metrics } from "./metrics.ts";

/** Samples about callbacks of one scrape. */
async function callbackSamples(metrics: Metrics): Promise<string[]> {
  const text = await metrics.registry.metrics();
  expect(text).toContain('cardwright_batch_failures_total{batcher="decisions"} 1');
  return text.split("\n").filter((line) => line.startsWith("cardwright_callbacks_"));
}

function metricsOf(backlog: (() => Promise<{ inOutbox: number; inLine: number; dueSinceMs: number | null }>) | null) {
  const metrics = createMetrics();
  metrics.batchFailed("decisions");
  if (backlog !== null) {
    metrics.measureCallbacks({ backlog, now: () => 10_000 });
  }
  return metrics;
}

test("a scrape tells what is to be delivered at that moment, by one look", async () => {
  let looks = 0;
  const metrics = metricsOf(async () => {
    looks += 1;
    return { inOutbox: 3, inLine: 10_000, dueSinceMs: looks === 1 ? 7_500 : null };
  });
  const samples = [
    'cardwright_callbacks_open{place="outbox"} 3',
    'cardwright_callbacks_open{place="line"} 10000',
    "cardwright_callbacks_behind_seconds 2.5",
  ];
  expect(await callbackSamples(metrics)).toEqual(samples);
  expect(await callbackSamples(metrics)).toEqual([...samples.slice(0, 2), "cardwright_callbacks_behind_seconds 0"]);
  expect(looks).toBe(2);
});

test("without a database a scrape has everything but callbacks", async () => {
  let isAway = false;
  const metrics = metricsOf(async () => {
    if (isAway) {
      throw new Error("the database is away");
    }
    return { inOutbox: 1, inLine: 1, dueSinceMs: null };
  });
  expect(await callbackSamples(metrics)).toHaveLength(3);
  isAway = true;
  expect(await callbackSamples(metrics)).toEqual([]);
  expect(await callbackSamples(metricsOf(() => new Promise(() => {})))).toEqual([]);
  expect(await callbackSamples(metricsOf(null))).toEqual([]);
});
