import type { Benchmark, BenchOptions, BenchResult } from "../benchmark.ts";
import { backlog } from "./backlog.ts";
import { besideHanging } from "./hanging.ts";
import { queueing } from "./queueing.ts";
import { sustained } from "./sustained.ts";

/** Of the time. The backlog takes what it takes at the rate of the machine, and has failed when its share is over. */
const parts: readonly { readonly share: number; readonly run: (options: BenchOptions) => Promise<BenchResult> }[] = [
  { share: 0.08, run: sustained },
  { share: 0.06, run: besideHanging },
  { share: 0.06, run: queueing },
  { share: 0.8, run: backlog },
];

export const callbacks: Benchmark = {
  name: "callbacks",
  summary: "pushes delivered to merchants: to one, beside hanging ones, what queueing costs a decision, a long backlog",
  seconds: 600,
  run: async (options) => {
    const results: BenchResult[] = [];
    for (const { share, run } of parts) {
      if (options.signal.aborted) {
        break;
      }
      results.push(await run({ ...options, seconds: options.seconds * share }));
    }
    return results;
  },
};
