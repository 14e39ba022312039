import { setTimeout as sleep } from "node:timers/promises";
import { isUnavailable, type Sql } from "#database/index.ts";
import { type Clock, ok, type Result, refused, systemClock } from "#kernel/index.ts";
import { addToClockOffset, selectClockOffset } from "./store.ts";

/** A clock that can be moved forward; every process of a sandbox follows it. */
export interface MovableClock extends Clock {
  /** Moves the clock of all processes on by `ms` > 0; answers the time that it is then, Unix ms. */
  advance(ms: number): Promise<Result<number, "too_far_ahead">>;
  /** Reads how far the others have moved it. */
  refresh(): Promise<void>;
  /** Milliseconds that this process's clock is ahead of the machine's. */
  offsetMs(): number;
  stop(): Promise<void>;
}

export interface MovableClockDeps {
  readonly pool: Sql;
  /** Told when the offset could not be read for another reason than an absent database; the last one goes on to count. */
  readonly onError: (error: unknown) => void;
  readonly real?: Clock;
  /** Milliseconds between two looks at the offset. */
  readonly refreshMs?: number;
}

/** Short enough that nobody who moved the clock waits for the others, and 5 reads a second are nothing. */
const refreshMsDefault = 200;
/** Ten years: longer than any card is valid. */
export const offsetMsMax = 3_650 * 86_400_000;

/**
 * Real time plus the offset kept in the database, read before this answers. It never goes back, so whatever waits for a moment
 * meets it; a database that is away leaves the clock running with the offset it had.
 */
export async function createMovableClock(deps: MovableClockDeps): Promise<MovableClock> {
  const real = deps.real ?? systemClock;
  let offset = await selectClockOffset(deps.pool);
  // A slow read may bring an older offset than `advance` has brought meanwhile.
  const follow = (read: number): void => {
    offset = Math.max(offset, read);
  };
  const stopping = new AbortController();
  const following = refreshUntil(stopping.signal, { ...deps, follow });
  return {
    now: () => real.now() + offset,
    offsetMs: () => offset,
    refresh: async () => follow(await selectClockOffset(deps.pool)),
    advance: async (ms) => {
      if (!Number.isSafeInteger(ms) || ms <= 0) {
        throw new RangeError("the sandbox's clock moves forward by whole milliseconds");
      }
      const moved = await addToClockOffset(deps.pool, { ms, offsetMsMax });
      if (moved === null) {
        return refused("too_far_ahead");
      }
      follow(moved);
      return ok(real.now() + offset);
    },
    stop: async () => {
      stopping.abort();
      await following;
    },
  };
}

async function refreshUntil(
  signal: AbortSignal,
  deps: MovableClockDeps & { readonly follow: (offset: number) => void },
): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(deps.refreshMs ?? refreshMsDefault, undefined, { signal, ref: false });
      deps.follow(await selectClockOffset(deps.pool));
    } catch (error) {
      if (!signal.aborted && !isUnavailable(error)) {
        deps.onError(error);
      }
    }
  }
}
