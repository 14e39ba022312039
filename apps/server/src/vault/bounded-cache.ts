import type { Clock } from "#kernel/index.ts";

export interface BoundedCache<Value> {
  readonly find: (key: string) => Value | undefined;
  /** Take it before a value is read from the database: if anything was forgotten since, `keep` keeps nothing. */
  readonly mark: () => number;
  readonly keep: (key: string, value: Value, mark: number) => void;
  readonly forget: (key: string) => void;
  readonly size: () => number;
}

/**
 * Values read lately: at most `entriesMax`, each for at most `ageMsMax`, the least recently used goes first. The age is what
 * bounds how long another process still uses a value after this one has forgotten it.
 */
export function createBoundedCache<Value>(options: {
  readonly clock: Clock;
  readonly entriesMax: number;
  readonly ageMsMax: number;
}): BoundedCache<Value> {
  const { clock, entriesMax, ageMsMax } = options;
  const entries = new Map<string, { readonly value: Value; readonly keptAt: number }>();
  let forgotten = 0;
  return {
    find(key) {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      // The sandbox's clock may be set back: an entry from the future is as stale as one that is too old.
      if (Math.abs(clock.now() - entry.keptAt) > ageMsMax) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    mark: () => forgotten,
    keep(key, value, mark) {
      if (mark !== forgotten) return;
      entries.delete(key);
      entries.set(key, { value, keptAt: clock.now() });
      const oldest = entries.size > entriesMax ? entries.keys().next() : undefined;
      if (oldest?.done === false) entries.delete(oldest.value);
    },
    forget(key) {
      forgotten += 1;
      entries.delete(key);
    },
    size: () => entries.size,
  };
}
