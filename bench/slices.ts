import { median } from "./statistics.ts";

/** What was done in one slice of time. */
export interface Slice {
  readonly count: number;
  readonly seconds: number;
}

export const rateOf = (slice: Slice): number => slice.count / slice.seconds;

/** The median rate of the slices: one slice that a checkpoint or a neighbour spoilt does not move it. */
export function medianRate(slices: readonly Slice[]): number {
  return median(slices.map(rateOf));
}

/**
 * Runs two loads in turn, `rounds` times, and swaps who goes first in each round: what changes slowly on the machine (heat,
 * cache, a growing table, neighbours) then meets both alike. Ends early when the signal aborts.
 */
export async function interleave(options: {
  readonly rounds: number;
  readonly ours: () => Promise<Slice>;
  readonly baseline: () => Promise<Slice>;
  readonly signal: AbortSignal;
  readonly onRound?: (so: Interleaved) => void;
}): Promise<Interleaved> {
  const ours: Slice[] = [];
  const baseline: Slice[] = [];
  for (let round = 0; round < options.rounds && !options.signal.aborted; round += 1) {
    const turns = [async () => ours.push(await options.ours()), async () => baseline.push(await options.baseline())];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) {
      await turn();
    }
    options.onRound?.({ ours, baseline });
  }
  return { ours, baseline };
}

export interface Interleaved {
  readonly ours: readonly Slice[];
  readonly baseline: readonly Slice[];
}

/**
 * A closed loop: so many callers, each of which starts again as soon as it is answered, for so long. What is in flight at the
 * end is waited for and counted, and so is the time that it took.
 */
export async function closedLoop(options: {
  readonly inFlight: number;
  readonly seconds: number;
  readonly once: () => Promise<void>;
  readonly signal: AbortSignal;
}): Promise<Slice> {
  const startedMs = performance.now();
  const endMs = startedMs + options.seconds * 1000;
  let count = 0;
  const caller = async (): Promise<void> => {
    while (performance.now() < endMs && !options.signal.aborted) {
      await options.once();
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: options.inFlight }, caller));
  return { count, seconds: (performance.now() - startedMs) / 1000 };
}
