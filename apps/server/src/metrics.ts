import { Counter, collectDefaultMetrics, Histogram, Registry } from "prom-client";
import type { AuthorizationAnswer } from "#authorization/index.ts";

/** What the platform counts. One registry per process, passed in, so that two platforms in one process do not mix. */
export interface Metrics {
  readonly registry: Registry;
  decided(outcome: { readonly answer: AuthorizationAnswer; readonly seconds: number }): void;
  loopFailed(loop: string): void;
  batchFailed(batcher: string): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const decisions = new Counter({
    name: "cardwright_authorizations_total",
    help: "Authorizations answered, by outcome: approved or the decline reason.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  const seconds = new Histogram({
    name: "cardwright_authorization_seconds",
    help: "Time from the network's question to our answer.",
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 0.85, 1, 2],
    registers: [registry],
  });
  const loopFailures = new Counter({
    name: "cardwright_loop_failures_total",
    help: "Rounds of background work that failed, by loop.",
    labelNames: ["loop"],
    registers: [registry],
  });
  const batchFailures = new Counter({
    name: "cardwright_batch_failures_total",
    help: "Batches that failed as a whole and were run item by item.",
    labelNames: ["batcher"],
    registers: [registry],
  });
  return {
    registry,
    decided: ({ answer, seconds: took }) => {
      decisions.inc({ outcome: answer.approved ? "approved" : answer.reason });
      seconds.observe(took);
    },
    loopFailed: (loop) => loopFailures.inc({ loop }),
    batchFailed: (batcher) => batchFailures.inc({ batcher }),
  };
}

/**
 * Adds what Node tells of its process: memory, CPU, collections, the lag of its loop. For the process that is the platform, once: a timer
 * every 10 ms and an observer stay as long as it lives.
 */
export function measureProcess({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry });
}
