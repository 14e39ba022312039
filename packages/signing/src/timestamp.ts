export type TimestampRefusal = "timestamp_invalid" | "timestamp_stale" | "timestamp_future";

/**
 * How far a signature's time may be from ours when the caller does not say: 5 minutes, as Standard Webhooks recommends.
 */
const defaultToleranceMs = 300_000;

export interface TimestampCheck {
  /** Unix ms; NaN when the header could not be read. */
  readonly signedAtMs: number;
  readonly nowMs: number;
  readonly toleranceMs: number | undefined;
}

/**
 * What is wrong with the time of a signature, or `undefined`. Both ends of the tolerance are still good. Throws a
 * RangeError for a tolerance that is negative or no number, which would let every time pass or none.
 */
export function timestampRefusal(check: TimestampCheck): TimestampRefusal | undefined {
  const toleranceMs = check.toleranceMs ?? defaultToleranceMs;
  if (!(toleranceMs >= 0)) throw new RangeError(`a tolerance of ${toleranceMs} ms`);
  const ageMs = check.nowMs - check.signedAtMs;
  if (Number.isNaN(ageMs)) return "timestamp_invalid";
  if (ageMs > toleranceMs) return "timestamp_stale";
  return ageMs < -toleranceMs ? "timestamp_future" : undefined;
}
