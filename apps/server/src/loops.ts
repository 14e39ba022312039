import { setTimeout as sleep } from "node:timers/promises";

/** Work that comes again and again: one round, then a wait. A round that fails is reported and tried again after the wait. */
export interface Loop {
  readonly name: string;
  readonly waitMs: number;
  /** Answers how much it did: a round that did something is followed by the next one at once, within bounds. */
  readonly round: () => Promise<number>;
}

export interface Loops {
  /** Starts no more rounds and waits for those under way. */
  stop(): Promise<void>;
}

/** Rounds without a wait in between; then other work of the process gets its turn. */
const busyRoundsMax = 50;

export function startLoops(options: {
  readonly loops: readonly Loop[];
  readonly onError: (failure: { readonly loop: string; readonly error: unknown }) => void;
}): Loops {
  const stopping = new AbortController();
  const running = options.loops.map((loop) => run(loop, stopping.signal, options.onError));
  return {
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

async function run(
  loop: Loop,
  stopping: AbortSignal,
  onError: (failure: { readonly loop: string; readonly error: unknown }) => void,
): Promise<void> {
  for (let busyRounds = 0; !stopping.aborted; ) {
    let done = 0;
    try {
      done = await loop.round();
    } catch (error) {
      onError({ loop: loop.name, error });
    }
    busyRounds = done > 0 ? busyRounds + 1 : 0;
    if (done === 0 || busyRounds >= busyRoundsMax) {
      busyRounds = 0;
      // Aborting ends the wait early; that is its purpose, not a failure.
      await sleep(loop.waitMs, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
}
