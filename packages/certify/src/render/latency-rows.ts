import type { LatencyReport, LoadResult } from "../latency.ts";

export const latencyHead = ["load", "asked", "in time", "p50", "p95", "p99", "p99.9", "slowest"] as const;

/** One row of text for the burst and for each rate. */
export function latencyRows({ burst, rates }: LatencyReport): readonly (readonly string[])[] {
  return [...(burst === null ? [] : [row("burst", burst)]), ...rates.map((result) => row(`${result.rate}/s`, result))];
}

function row(name: string, result: LoadResult): readonly string[] {
  const { asked, inTime, p50Ms, p95Ms, p99Ms, p999Ms, maxMs } = result;
  return [name, String(asked), String(inTime), ...[p50Ms, p95Ms, p99Ms, p999Ms, maxMs].map((ms) => `${ms} ms`)];
}

/** `1.6 s`, `800 ms`: an edge of the histogram. */
export function edge(ms: number): string {
  return ms >= 1_000 ? `${ms / 1_000} s` : `${ms} ms`;
}
