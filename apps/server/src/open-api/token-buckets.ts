import type { Clock } from "#kernel/index.ts";

export type Taken = { readonly ok: true } | { readonly ok: false; readonly retryAfterSeconds: number };

/** Counts calls of many callers: each has a bucket that fills steadily, and a call takes one token out of it. */
export interface TokenBuckets {
  take(caller: string): Taken;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

/**
 * Buckets in memory, `bucketsMax` at most: then the caller that was silent longest is forgotten, whose bucket is the likeliest to
 * be full again. Each process counts for itself, so several of them let through that many times as much.
 */
export function createTokenBuckets(options: {
  readonly clock: Clock;
  readonly perSecond: number;
  readonly burst: number;
  readonly bucketsMax: number;
}): TokenBuckets {
  const { clock, perSecond, burst, bucketsMax } = options;
  const buckets = new Map<string, Bucket>();

  return {
    take(caller) {
      const now = clock.now();
      const bucket = buckets.get(caller) ?? { tokens: burst, filledAt: now };
      // A clock that was set back must not take tokens away.
      const seconds = Math.max(0, now - bucket.filledAt) / 1000;
      bucket.tokens = Math.min(burst, bucket.tokens + seconds * perSecond);
      bucket.filledAt = now;
      remember(buckets, { caller, bucket, bucketsMax });
      if (bucket.tokens < 1) {
        return { ok: false, retryAfterSeconds: Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond)) };
      }
      bucket.tokens -= 1;
      return { ok: true };
    },
  };
}

/** A Map keeps insertion order, so taking a key out and putting it back moves it behind all others. */
function remember(
  buckets: Map<string, Bucket>,
  entry: { readonly caller: string; readonly bucket: Bucket; readonly bucketsMax: number },
): void {
  buckets.delete(entry.caller);
  const oldest = buckets.size >= entry.bucketsMax ? buckets.keys().next() : undefined;
  if (oldest?.done === false) {
    buckets.delete(oldest.value);
  }
  buckets.set(entry.caller, entry.bucket);
}
