/** Milliseconds of real time, as the platform measures them: from the planned moment to the last byte of the answer. */
export interface Percentiles {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
}

export interface LoadResult extends Percentiles {
  /** Per second; 0 for the burst. */
  readonly rate: number;
  readonly asked: number;
  readonly answered: number;
  /** Answers within the deadline. */
  readonly inTime: number;
  /** How late our own requests left, at the 99th percentile: part of the latency, and our machine's fault. */
  readonly ownDelayP99Ms: number;
}

export interface HistogramBar {
  readonly fromMs: number;
  /** Not included; null for the last bar, which has no end. */
  readonly toMs: number | null;
  readonly count: number;
}

export interface LatencyReport extends Percentiles {
  readonly deadlineMs: number;
  readonly burst: LoadResult | null;
  readonly rates: readonly LoadResult[];
  readonly histogram: readonly HistogramBar[];
}

/** One request of a load: null when no usable answer came. */
export interface Timed {
  readonly latencyMs: number | null;
  readonly ownDelayMs: number;
}

export interface LatencyLog {
  burst: LoadResult | null;
  readonly rates: LoadResult[];
  readonly all: number[];
}

export function newLatencyLog(): LatencyLog {
  return { burst: null, rates: [], all: [] };
}

export function loadResult(
  timed: readonly Timed[],
  how: { readonly rate: number; readonly deadlineMs: number },
): LoadResult {
  const latencies = latenciesOf(timed);
  return {
    rate: how.rate,
    asked: timed.length,
    answered: latencies.length,
    inTime: latencies.filter((ms) => ms <= how.deadlineMs).length,
    ownDelayP99Ms: rounded(percentile(ascending(timed.map(({ ownDelayMs }) => ownDelayMs)), 0.99)),
    ...percentilesOf(latencies),
  };
}

export function latenciesOf(timed: readonly Timed[]): readonly number[] {
  return timed.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
}

export function latencyReport(log: LatencyLog, deadlineMs: number): LatencyReport {
  return {
    deadlineMs,
    burst: log.burst,
    rates: log.rates,
    ...percentilesOf(log.all),
    histogram: histogramOf(log.all),
  };
}

/** Zeros when there is nothing to tell of. */
export function percentilesOf(values: readonly number[]): Percentiles {
  const ordered = ascending(values);
  return {
    p50Ms: rounded(percentile(ordered, 0.5)),
    p95Ms: rounded(percentile(ordered, 0.95)),
    p99Ms: rounded(percentile(ordered, 0.99)),
    p999Ms: rounded(percentile(ordered, 0.999)),
    maxMs: rounded(percentile(ordered, 1)),
  };
}

function ascending(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

/** Nearest rank: always a value that was measured. */
function percentile(ordered: Float64Array, share: number): number {
  return ordered[Math.max(1, Math.ceil(ordered.length * share)) - 1] ?? 0;
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

/** Edges that double roughly, with the contract's 800 ms among them. */
const edgesMs = [0, 1, 2, 5, 10, 20, 50, 100, 200, 400, 800, 1_600, 3_200] as const;

function histogramOf(values: readonly number[]): readonly HistogramBar[] {
  return edgesMs.map((fromMs, index) => {
    const toMs = edgesMs[index + 1] ?? null;
    const count = values.filter((ms) => ms >= fromMs && (toMs === null || ms < toMs)).length;
    return { fromMs, toMs, count };
  });
}
