/** What the client knows of the platform's clock. */
export interface ServerClock {
  /** Unix ms for a `Timestamp` header: never ahead of the platform's clock, and far from 60 s behind it. */
  now(): number;
  /** Learns from the `Date` header of an answer. `sentAtMs` and `receivedAtMs` are of the local clock. */
  learn(answer: { readonly date: string | null; readonly sentAtMs: number; readonly receivedAtMs: number }): void;
  /** The platform refused this `Timestamp` (1005), which was made at `sentAtMs`: another one will be made from now on. */
  refused(timestamp: { readonly timestampMs: number; readonly sentAtMs: number }): void;
}

/** A `Date` header has whole seconds, rounded down. */
const dateStepMs = 1_000;
/**
 * How far behind the platform's clock a `Timestamp` is meant to be. Two seconds cover what a `Date` cannot tell and what
 * clocks drift between two answers; after a refusal more is taken off, for a proxy that sets `Date` by a clock of its own, or
 * where no `Date` comes at all. More than the last would come near the 60 s after which the platform calls a time stale.
 */
const behindMs = [2_000, 10_000, 30_000] as const;
/** A new time that differs by less would be refused like the last. */
const otherTimeMs = 1_000;

/**
 * The platform's clock showed `Date` or more when the answer was here at the latest, and less than `Date + 1 s` when the call
 * was made at the earliest. So its offset is at least `Date - received`, of which the highest is kept, and less than
 * `Date + 1 s - sent`: where that contradicts what is known, a clock was set, and everything is learned anew.
 */
export function createServerClock(now: () => number): ServerClock {
  let offsetMs: number | undefined;
  let refusals = 0;
  const clock: ServerClock = {
    now: () => now() + (offsetMs ?? 0) - (behindMs[refusals] ?? 0),
    learn: ({ date, sentAtMs, receivedAtMs }) => {
      const dateMs = date === null ? Number.NaN : Date.parse(date);
      if (!Number.isFinite(dateMs)) return;
      const atLeastMs = dateMs - receivedAtMs;
      const isContradicted = offsetMs === undefined || offsetMs >= dateMs + dateStepMs - sentAtMs;
      offsetMs = isContradicted ? atLeastMs : Math.max(offsetMs ?? atLeastMs, atLeastMs);
    },
    refused: ({ timestampMs, sentAtMs }) => {
      const agedMs = now() - sentAtMs;
      const wasLearned = Math.abs(clock.now() - agedMs - timestampMs) >= otherTimeMs;
      if (!wasLearned) refusals = Math.min(refusals + 1, behindMs.length - 1);
    },
  };
  return clock;
}
