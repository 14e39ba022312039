import { type Batcher, createBatcher, createLanes, inTransaction } from "#database/index.ts";
import { uuid7 } from "#kernel/index.ts";
import {
  type EndpointNote,
  type EndpointRow,
  noteEndpoints,
  type PausedEndpoint,
  pauseFailing,
} from "./endpoint-store.ts";
import { insertEvents } from "./event-store.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackDeps, nameOf } from "./ports.ts";

/** What a try says about its merchant's endpoint. */
export interface EndpointFact {
  readonly merchantId: number;
  /** Unix ms of business time. */
  readonly atMs: number;
  readonly kind: "good" | "failed" | "asks_for_patience";
  /** Until when it asks for patience; 0 when it does not. */
  readonly heldUntilMs: number;
}

/**
 * Remembers in the database how endpoints are doing, for all processes: since when one has been failing, until when it asks for
 * patience. Written when that changes, and once a minute while it does not, so that every process that delivers has its say. After 5
 * days of nothing but failures deliveries are paused, by whichever process writes the failure that makes it 5 days.
 */
export interface EndpointHealth {
  /** Resolves when what was to be written is written or lost; the next fact of that kind writes it then. Never rejects. */
  note(fact: EndpointFact): Promise<void>;
  patienceIsOver(merchantId: number, nowMs: number): boolean;
  stop(): Promise<void>;
}

export interface EndpointHealthDeps extends Pick<CallbackDeps, "pool" | "log"> {
  /** Told after the pause was written. */
  readonly onPaused: (merchantId: number) => void;
}

/** What this process knows of a merchant. */
interface Known {
  latest: EndpointFact["kind"];
  notedAtMs: number;
  throttledSinceMs: number | null;
}

interface State {
  readonly deps: EndpointHealthDeps;
  readonly writer: Batcher<EndpointFact, null>;
  /** The one that was written longest ago first. */
  readonly known: Map<number, Known>;
}

export function createEndpointHealth(deps: EndpointHealthDeps): EndpointHealth {
  const state: State = {
    deps,
    writer: createBatcher<EndpointFact, null>({
      name: "callback endpoints",
      lanes: createLanes({ max: 1 }),
      batchMax: callbackLimits.rowsPerWrite,
      queueMax: callbackLimits.rowsWaitingMax,
      run: (facts) => write(state, facts),
    }),
    known: new Map(),
  };
  return {
    note: (fact) => note(state, fact),
    patienceIsOver: (merchantId, nowMs) => {
      const since = state.known.get(merchantId)?.throttledSinceMs ?? null;
      return since !== null && since + callbackLimits.patienceEndsAfterMs <= nowMs;
    },
    stop: () => state.writer.stop({ deadlineMs: callbackLimits.stopMs }),
  };
}

async function note(state: State, fact: EndpointFact): Promise<void> {
  const known = state.known.get(fact.merchantId);
  const isNew = known?.latest !== fact.kind || fact.atMs - known.notedAtMs >= callbackLimits.endpointNotedEveryMs;
  if (!isNew && fact.kind !== "asks_for_patience") {
    return;
  }
  remember(state, fact.merchantId, {
    latest: fact.kind,
    notedAtMs: fact.atMs,
    throttledSinceMs: fact.kind === "good" ? null : (known?.throttledSinceMs ?? null),
  });
  try {
    await state.writer.submit(fact);
  } catch (error) {
    state.known.delete(fact.merchantId);
    const { merchantId } = fact;
    state.deps.log.error({ merchantId, error: nameOf(error) }, "how an endpoint is doing could not be written");
  }
}

function remember({ known }: State, merchantId: number, what: Known): void {
  known.delete(merchantId);
  known.set(merchantId, what);
  const oldest = known.size > callbackLimits.circuitsMax ? known.keys().next() : undefined;
  if (oldest?.done === false) {
    known.delete(oldest.value);
  }
}

async function write(state: State, facts: readonly EndpointFact[]): Promise<null[]> {
  const { pool } = state.deps;
  const rows = await noteEndpoints(pool, notesOf(facts));
  for (const row of rows) {
    const known = state.known.get(row.merchant_id);
    if (known !== undefined) {
      known.throttledSinceMs = row.throttled_since === null ? null : Number(row.throttled_since);
    }
  }
  await pauseWhoeverFails(state, { rows, facts });
  return facts.map(() => null);
}

async function pauseWhoeverFails(
  { deps }: State,
  { rows, facts }: { readonly rows: readonly EndpointRow[]; readonly facts: readonly EndpointFact[] },
): Promise<void> {
  const nowMs = Math.max(...facts.map((fact) => fact.atMs));
  const failingSinceMs = nowMs - callbackLimits.pausedAfterMs;
  const merchantIds = rows
    .filter((row) => row.paused_by === "" && row.failing_since !== null && Number(row.failing_since) <= failingSinceMs)
    .map((row) => row.merchant_id);
  if (merchantIds.length === 0) {
    return;
  }
  const paused = await inTransaction(deps.pool, async (sql) => {
    const endpoints = await pauseFailing(sql, { merchantIds, failingSinceMs, nowMs });
    await insertEvents(
      sql,
      endpoints.map((endpoint) => pauseEvent(endpoint, nowMs)),
    );
    return endpoints;
  });
  for (const { merchantId, failingSinceMs: since } of paused) {
    deps.log.warn(
      { merchantId, failingSinceMs: since },
      "deliveries to an endpoint are paused: it has only failed for 5 days",
    );
    deps.onPaused(merchantId);
  }
}

function pauseEvent({ merchantId, failingSinceMs }: PausedEndpoint, nowMs: number) {
  const detail = { by: "failures", failing_since: failingSinceMs };
  return { merchantId, eventId: uuid7(nowMs), atMs: nowMs, kind: "callbacks_paused", detail };
}

/** One note for each merchant: what the facts say together, in their order. */
function notesOf(facts: readonly EndpointFact[]): EndpointNote[] {
  const notes = new Map<number, EndpointNote>();
  for (const fact of facts) {
    notes.set(fact.merchantId, withFact(notes.get(fact.merchantId) ?? emptyNote(fact.merchantId), fact));
  }
  return [...notes.values()];
}

function emptyNote(merchantId: number): EndpointNote {
  return {
    merchantId,
    lastSuccessAtMs: null,
    lastFailureAtMs: null,
    failingFromMs: null,
    throttledFromMs: null,
    heldUntilMs: 0,
  };
}

function withFact(before: EndpointNote, { kind, atMs, heldUntilMs }: EndpointFact): EndpointNote {
  switch (kind) {
    case "good":
      return { ...before, lastSuccessAtMs: atMs, failingFromMs: null, throttledFromMs: null };
    case "failed":
      return { ...before, lastFailureAtMs: atMs, failingFromMs: before.failingFromMs ?? atMs };
    case "asks_for_patience":
      return {
        ...before,
        throttledFromMs: before.throttledFromMs ?? atMs,
        heldUntilMs: Math.max(before.heldUntilMs, heldUntilMs),
      };
  }
}
