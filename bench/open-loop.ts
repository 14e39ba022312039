import { Worker } from "node:worker_threads";
import type { ArrivalPlan } from "./arrivals.ts";

export interface OpenLoopPlan extends ArrivalPlan {
  /** The moment that arrivals are counted from, Unix ms with fractions. */
  readonly startsAtEpochMs: number;
}

export function isOpenLoopPlan(value: unknown): value is OpenLoopPlan {
  const keys = ["rate", "seconds", "seed", "startsAtEpochMs"] as const;
  return (
    typeof value === "object" && value !== null && keys.every((key) => typeof Reflect.get(value, key) === "number")
  );
}

export interface OpenLoopRun {
  /** Milliseconds from each planned arrival to its answer. */
  readonly latencies: readonly number[];
  /** Milliseconds from each planned arrival to the call: how late the load itself was. Part of the latency. */
  readonly lateness: readonly number[];
  readonly failures: readonly string[];
}

/** A thread needs this long to start and to plan. */
const startDelayMs = 300;
/** Beyond this many unanswered the system does not keep up: nothing new is learned by piling on more. */
const waitingMax = 20_000;

/**
 * An open loop: customers come at planned moments whether or not the earlier ones were answered, and their waiting counts from
 * the plan. A stall of a second is then seen by everybody who came in it, where a closed loop would see it once.
 */
export async function openLoop(
  plan: ArrivalPlan,
  options: { readonly once: () => Promise<unknown>; readonly signal: AbortSignal },
): Promise<OpenLoopRun> {
  const startsAtMs = performance.now() + startDelayMs;
  const workerData: OpenLoopPlan = { ...plan, startsAtEpochMs: performance.timeOrigin + startsAtMs };
  const worker = new Worker(new URL("open-loop-worker.ts", import.meta.url), { workerData });
  const latencies: number[] = [];
  const lateness: number[] = [];
  const failures = new Set<string>();
  const waiting = new Set<Promise<void>>();
  const arrive = async (plannedMs: number): Promise<void> => {
    lateness.push(performance.now() - plannedMs);
    try {
      await options.once();
      latencies.push(performance.now() - plannedMs);
    } catch (error) {
      failures.add(error instanceof Error ? error.message : String(error));
    }
  };
  try {
    await new Promise<void>((resolve, reject) => {
      options.signal.addEventListener("abort", () => resolve(), { once: true });
      worker.on("error", reject);
      worker.on("message", (due: readonly number[] | null) => {
        if (due === null) {
          resolve();
          return;
        }
        for (const atMs of due) {
          const one = arrive(startsAtMs + atMs).finally(() => waiting.delete(one));
          waiting.add(one);
        }
        if (waiting.size > waitingMax) {
          failures.add(`more than ${waitingMax} were waiting`);
          resolve();
        }
      });
    });
    await Promise.all(waiting);
  } finally {
    await worker.terminate();
  }
  return { latencies, lateness, failures: [...failures] };
}
