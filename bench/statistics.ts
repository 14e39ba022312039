/** Values in ascending order; the only form that percentiles are taken of. */
export type Sorted = readonly number[] & { readonly sorted: true };

export function sorted(values: Iterable<number>): Sorted {
  const ordered = Float64Array.from(values).sort();
  return Object.assign(Array.from(ordered), { sorted: true } as const);
}

/**
 * The smallest value that at least `share` of all values do not exceed (nearest rank), so it is always one that was measured.
 * `share` from 0 to 1; NaN when there are no values.
 */
export function percentile(values: Sorted, share: number): number {
  const rank = Math.max(1, Math.ceil(values.length * share));
  return values[rank - 1] ?? Number.NaN;
}

/** The middle value, or the mean of the two in the middle; NaN when there are none. */
export function median(values: Iterable<number>): number {
  const ordered = sorted(values);
  const half = Math.floor(ordered.length / 2);
  const upper = ordered[half] ?? Number.NaN;
  return ordered.length % 2 === 1 ? upper : ((ordered[half - 1] ?? Number.NaN) + upper) / 2;
}

/** Milliseconds, as every benchmark reports its latencies. */
export interface Latencies {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly p999_ms: number;
  readonly max_ms: number;
}

export function latenciesOf(milliseconds: Iterable<number>): Latencies {
  const values = sorted(milliseconds);
  return {
    p50_ms: rounded(percentile(values, 0.5)),
    p99_ms: rounded(percentile(values, 0.99)),
    p999_ms: rounded(percentile(values, 0.999)),
    max_ms: rounded(percentile(values, 1)),
  };
}

/** Growth of y for one unit of x, by least squares; 0 with fewer than two points. */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const count = points.length;
  const meanX = points.reduce((sum, { x }) => sum + x, 0) / count;
  const meanY = points.reduce((sum, { y }) => sum + y, 0) / count;
  const above = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
  return below === 0 ? 0 : above / below;
}

/** Three significant digits are all that a measurement on a shared machine can mean; whole numbers keep theirs. */
export function rounded(value: number): number {
  return Math.abs(value) >= 1000 ? Math.round(value) : Number(value.toPrecision(3));
}
