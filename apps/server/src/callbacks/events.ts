import { uuid7 } from "#kernel/index.ts";
import { createBackgroundWriter } from "./background-writer.ts";
import type { BreakerChange } from "./breaker.ts";
import {
  deleteEventsBefore,
  type EventDetail,
  type EventPage,
  type EventRow,
  insertEvents,
  type MerchantEvent,
  selectEvents,
} from "./event-store.ts";
import { callbackLimits } from "./limits.ts";
import type { CallbackDeps } from "./ports.ts";

/** What happened to a merchant's server, for its operator. */
export interface MerchantEvents {
  /** Newest first; the size of a page is the caller's to bound. */
  list(page: EventPage): Promise<MerchantEvent[]>;
  /** Removes at most 1,000 events that are older than 90 days. Returns how many. */
  removeOld(): Promise<number>;
}

/** Each process has two circuits for a merchant: one for the questions of purchases, one for deliveries. */
export type CircuitOf = "questions" | "deliveries";

/** The events with the writing end, which stays in this room. */
export interface EventLog extends MerchantEvents {
  /** Written soon; nobody waits for it. */
  circuitChanged(change: BreakerChange, about: CircuitOf): void;
  stop(): Promise<void>;
}

export function createEventLog({ pool, clock, log }: Pick<CallbackDeps, "pool" | "clock" | "log">): EventLog {
  const writer = createBackgroundWriter({
    log,
    name: "merchant events",
    gatherMs: 0,
    insert: (rows: readonly EventRow[]) => insertEvents(pool, rows),
  });
  return {
    list: (page) => selectEvents(pool, page),
    removeOld: () =>
      deleteEventsBefore(pool, {
        beforeMs: clock.now() - callbackLimits.eventsKeptMs,
        limit: callbackLimits.rowsPerStep,
      }),
    circuitChanged: (change, about) => {
      const atMs = clock.now();
      writer.write({ merchantId: change.merchantId, eventId: uuid7(atMs), atMs, ...told(change, about) });
    },
    stop: () => writer.stop(),
  };
}

function told(change: BreakerChange, about: CircuitOf): { readonly kind: string; readonly detail: EventDetail } {
  return change.kind === "opened"
    ? { kind: "circuit_opened", detail: { about, cause: change.cause, wait_ms: change.waitMs } }
    : { kind: "circuit_closed", detail: { about, open_ms: Math.round(change.openMs) } };
}
