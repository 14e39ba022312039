import { type Random, seededRandom } from "../../bench/arrivals.ts";

/** Choices that a seed repeats. */
export interface Choices {
  /** From 0 up to, not including, 1. */
  readonly next: Random;
  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number;
  /** True so many times of a hundred. */
  percent(share: number): boolean;
  of<const Value>(values: readonly [Value, ...Value[]]): Value;
}

/** `stream` tells apart the choices of several actors with one seed: leaving one of them out does not change the others'. */
export function createChoices(options: { readonly seed: number; readonly stream: number }): Choices {
  // 0x9e3779b1 is the golden ratio of 2^32: neighbouring streams begin far apart.
  const next = seededRandom((options.seed ^ Math.imul(options.stream + 1, 0x9e3779b1)) >>> 0);
  return {
    next,
    whole: (least, most) => least + Math.floor(next() * (most - least + 1)),
    percent: (share) => next() * 100 < share,
    of: (values) => values[Math.floor(next() * values.length)] ?? values[0],
  };
}
