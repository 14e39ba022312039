import { callbackLimits } from "./limits.ts";
import type { CallbackDeps, CallbackTarget } from "./ports.ts";

type ReadTarget = CallbackDeps["target"];

export interface TargetCacheDeps {
  readonly read: ReadTarget;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonicNow: () => number;
}

interface Entry {
  readonly target: CallbackTarget;
  readonly readAtMs: number;
}

interface State {
  readonly deps: TargetCacheDeps;
  /** By merchant, the one that was read longest ago first. */
  readonly entries: Map<number, Entry>;
  readonly reading: Map<number, Promise<CallbackTarget | null>>;
  /** How often something was forgotten. */
  forgets: number;
}

/**
 * Remembers merchants' targets for a moment, so that a question costs no statement and no decryption. A change of what is in it takes
 * effect within 5 s, in every process, and at once where it is told (`forget`). That a merchant has no target is not remembered, and a
 * read that failed is not either; calls that come during a read share it.
 */
export interface TargetCache {
  readonly of: ReadTarget;
  /** What is asked for from now on is read from now on. */
  forget(merchantId: number): void;
  forgetAll(): void;
}

export function createTargetCache(deps: TargetCacheDeps): TargetCache {
  const state: State = { deps, entries: new Map(), reading: new Map(), forgets: 0 };
  return {
    of: (merchantId) => targetOf(state, merchantId),
    forget: (merchantId) => {
      state.forgets += 1;
      state.entries.delete(merchantId);
      state.reading.delete(merchantId);
    },
    forgetAll: () => {
      state.forgets += 1;
      state.entries.clear();
      state.reading.clear();
    },
  };
}

function targetOf(state: State, merchantId: number): CallbackTarget | Promise<CallbackTarget | null> {
  const entry = state.entries.get(merchantId);
  const ageMs = entry === undefined ? Number.POSITIVE_INFINITY : state.deps.monotonicNow() - entry.readAtMs;
  if (entry === undefined || ageMs >= callbackLimits.targetAgeMsMax) {
    return read(state, merchantId);
  }
  if (ageMs >= callbackLimits.targetRefreshMs) {
    // Whoever still needs a target when this one is too old reads for itself and learns what is wrong.
    read(state, merchantId).catch(() => undefined);
  }
  return entry.target;
}

function read(state: State, merchantId: number): Promise<CallbackTarget | null> {
  const running = state.reading.get(merchantId);
  if (running !== undefined) {
    return running;
  }
  const reading = readNow(state, merchantId).finally(() => {
    if (state.reading.get(merchantId) === reading) {
      state.reading.delete(merchantId);
    }
  });
  state.reading.set(merchantId, reading);
  return reading;
}

async function readNow(state: State, merchantId: number): Promise<CallbackTarget | null> {
  const { deps, entries, forgets } = state;
  // The age counts from before the read: what changes during it is seen within the time that was promised.
  const readAtMs = deps.monotonicNow();
  const target = await deps.read(merchantId);
  if (state.forgets !== forgets) {
    // It may have read what was there before.
    return target;
  }
  entries.delete(merchantId);
  if (target !== null) {
    entries.set(merchantId, { target, readAtMs });
  }
  const oldest = entries.size > callbackLimits.targetsKept ? entries.keys().next() : undefined;
  if (oldest?.done === false) {
    entries.delete(oldest.value);
  }
  return target;
}
