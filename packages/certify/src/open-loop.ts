import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Timed } from "./latency.ts";
import { limits } from "./limits.ts";
import type { Random } from "./random.ts";

/**
 * When customers come who know nothing of each other: gaps are exponential (a Poisson process). Milliseconds from the start,
 * ascending, planned before anything is sent.
 */
export function plannedArrivals(
  random: Random,
  plan: { readonly rate: number; readonly seconds: number },
): readonly number[] {
  const arrivals: number[] = [];
  const endMs = plan.seconds * 1000;
  for (let atMs = gapMs(random, plan.rate); atMs < endMs; atMs += gapMs(random, plan.rate)) {
    arrivals.push(atMs);
  }
  return arrivals;
}

function gapMs(random: Random, rate: number): number {
  return (-Math.log(1 - random.share()) / rate) * 1000;
}

/**
 * An open loop: each request leaves at its planned moment, whether or not the earlier ones were answered, and its waiting counts from
 * the plan. So a stall of a second is seen by everybody who came in it. `once` tells whether a usual answer came.
 */
export async function openLoop(
  arrivalsMs: readonly number[],
  { once, signal }: { readonly once: (index: number) => Promise<boolean>; readonly signal: AbortSignal },
): Promise<readonly Timed[]> {
  const startMs = performance.now() + 5;
  const waiting = new Set<Promise<Timed>>();
  const all: Promise<Timed>[] = [];
  for (const [index, atMs] of arrivalsMs.entries()) {
    const plannedMs = startMs + atMs;
    const aheadMs = plannedMs - performance.now();
    if (aheadMs >= 1) {
      await sleep(aheadMs, undefined, { signal });
    }
    if (waiting.size >= limits.waitingMax) {
      all.push(Promise.resolve({ latencyMs: null, ownDelayMs: 0 }));
      continue;
    }
    const one = timed(plannedMs, () => once(index)).finally(() => waiting.delete(one));
    waiting.add(one);
    all.push(one);
  }
  return await Promise.all(all);
}

async function timed(plannedMs: number, once: () => Promise<boolean>): Promise<Timed> {
  const ownDelayMs = Math.max(0, performance.now() - plannedMs);
  const answered = await once();
  return { latencyMs: answered ? performance.now() - plannedMs : null, ownDelayMs };
}
