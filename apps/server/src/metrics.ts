import { setTimeout as sleep } from "node:timers/promises";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { AuthorizationAnswer } from "#authorization/index.ts";
import type { CallbackBacklog } from "#callbacks/index.ts";

/** What the platform counts. One registry per process, passed in, so that two platforms in one process do not mix. */
export interface Metrics {
  readonly registry: Registry;
  decided(outcome: { readonly answer: AuthorizationAnswer; readonly seconds: number }): void;
  loopFailed(loop: string): void;
  batchFailed(batcher: string): void;
  /** From now on each scrape asks what is to be delivered. */
  measureCallbacks(source: CallbackSource): void;
}

export interface CallbackSource {
  readonly backlog: () => Promise<CallbackBacklog>;
  readonly now: () => number;
}

/** Without an answer by then a scrape says nothing about callbacks: the other metrics are worth most when the database is away. */
const backlogMsMax = 1_000;

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
  const measureCallbacks = callbackGauges(registry);
  return {
    registry,
    measureCallbacks,
    decided: ({ answer, seconds: took }) => {
      decisions.inc({ outcome: answer.approved ? "approved" : answer.reason });
      seconds.observe(took);
    },
    loopFailed: (loop) => loopFailures.inc({ loop }),
    batchFailed: (batcher) => batchFailures.inc({ batcher }),
  };
}

function callbackGauges(registry: Registry): Metrics["measureCallbacks"] {
  let source: CallbackSource | null = null;
  let reading: Promise<CallbackBacklog | null> | null = null;
  // Both gauges are collected in the same moment: one look is enough for both.
  const read = (): Promise<CallbackBacklog | null> => {
    reading ??= readInTime(source).finally(() => {
      reading = null;
    });
    return reading;
  };
  const open = new Gauge({
    name: "cardwright_callbacks_open",
    help: "Pushes to be delivered, by place, each counted up to 10,000: outbox (no worker has seen it yet) or line.",
    labelNames: ["place"],
    registers: [registry],
    collect: async () => {
      const backlog = await read();
      open.reset();
      if (backlog !== null) {
        open.set({ place: "outbox" }, backlog.inOutbox);
        open.set({ place: "line" }, backlog.inLine);
      }
    },
  });
  const behind = new Gauge({
    name: "cardwright_callbacks_behind_seconds",
    help: "How long a push has been due that could have gone; 0 when there is none. In business time.",
    registers: [registry],
    collect: async () => {
      const backlog = await read();
      behind.remove();
      if (backlog !== null && source !== null) {
        behind.set(backlog.dueSinceMs === null ? 0 : Math.max(0, source.now() - backlog.dueSinceMs) / 1000);
      }
    },
  });
  return (callbacks) => {
    source = callbacks;
  };
}

async function readInTime(source: CallbackSource | null): Promise<CallbackBacklog | null> {
  const over = new AbortController();
  const late = sleep(backlogMsMax, null, { signal: over.signal }).catch(() => null);
  try {
    return await Promise.race([source?.backlog() ?? null, late]);
  } catch {
    return null;
  } finally {
    over.abort();
  }
}

/**
 * Adds what Node tells of its process: memory, CPU, collections, the lag of its loop. For the process that is the platform, once: a timer
 * every 10 ms and an observer stay as long as it lives.
 */
export function measureProcess({ registry }: Metrics): void {
  collectDefaultMetrics({ register: registry });
}
