import type { LatencyReport, LoadResult } from "../latency.ts";

export const latencyHead = ["load", "asked", "in time", "p50", "p95", "p99", "p99.9", "slowest"] as const;

/** One row of text for the burst and for each rate. */
export function latencyRows(
  { burst, rates }: LatencyReport,
  { timeText }: { readonly timeText: (ms: number) => string },
): readonly (readonly string[])[] {
  return [
    ...(burst === null ? [] : [row("burst", burst, timeText)]),
    ...rates.map((result) => row(`${result.rate}/s`, result, timeText)),
  ];
}

function row(name: string, result: LoadResult, timeText: (ms: number) => string): readonly string[] {
  const { asked, inTime, p50Ms, p95Ms, p99Ms, p999Ms, maxMs } = result;
  return [name, String(asked), String(inTime), ...[p50Ms, p95Ms, p99Ms, p999Ms, maxMs].map(timeText)];
}
