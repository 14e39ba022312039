/** A source of numbers from 0 (inclusive) to 1 (exclusive). */
export type Random = () => number;

/** mulberry32: 32 bits of state, the same numbers for the same seed on every machine. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface ArrivalPlan {
  /** Arrivals per second in the mean. */
  readonly rate: number;
  readonly seconds: number;
  readonly seed: number;
}

/**
 * When customers come who know nothing of each other: a Poisson process, so the gaps are exponential. Milliseconds from the
 * start, ascending. It is planned before it runs: a late start of one request never moves the next one.
 */
export function plannedArrivals(plan: ArrivalPlan): Float64Array {
  const random = seededRandom(plan.seed);
  const endMs = plan.seconds * 1000;
  const arrivals: number[] = [];
  for (let atMs = gapMs(random, plan.rate); atMs < endMs; atMs += gapMs(random, plan.rate)) {
    arrivals.push(atMs);
  }
  return Float64Array.from(arrivals);
}

function gapMs(random: Random, rate: number): number {
  return (-Math.log(1 - random()) / rate) * 1000;
}
