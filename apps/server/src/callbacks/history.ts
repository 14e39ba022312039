import { firstUuid7At, ok, type Result, refused } from "#kernel/index.ts";
import type { CallbackAttempt, CallbackEntry, CallbackFilter, CallbackKey } from "./entries.ts";
import { selectAttempts, selectCallback, selectCallbacks } from "./history-store.ts";
import { callbackLimits } from "./limits.ts";
import { bringLineUpToDate } from "./outbox-store.ts";
import { dayMs, type Partitions } from "./partitions.ts";
import type { CallbackDeps } from "./ports.ts";
import { firstPlace, resendByIds, resendFinishedStep, resendOpenStep } from "./resend-store.ts";

/** The pushes of the last 30 days, and sending them again: with the same id and data, and a new schedule of retries. */
export interface CallbackHistory {
  /** Newest first. */
  list(filter: CallbackFilter): Promise<CallbackEntry[]>;
  find(key: CallbackKey): Promise<CallbackEntry | null>;
  /** The tries of a push, the latest first. */
  attemptsOf(key: CallbackKey): Promise<CallbackAttempt[]>;
  /** Sends a push again, whatever became of it. */
  resend(key: CallbackKey): Promise<Result<null, "callback_not_found">>;
  /** At most 100 pushes of a merchant; throws when there are more. */
  resendMany(selection: {
    readonly merchantId: number;
    readonly callbackIds: readonly string[];
  }): Promise<{ readonly resent: number; readonly unknown: readonly string[] }>;
  /** Sends all of a merchant's pushes again that were made since a moment, in steps, in the order of each card. Returns how many. */
  resendSince(options: { readonly merchantId: number; readonly sinceMs: number }): Promise<number>;
  /** Sends all pushes again that were given up, or that fail and wait for a later try. Returns how many. */
  resendMissed(options: { readonly merchantId: number }): Promise<number>;
}

export interface HistoryDeps extends Pick<CallbackDeps, "pool" | "clock"> {
  readonly partitions: Partitions;
  /** Told when something has become due. */
  readonly wake: () => void;
}

export function createHistory(deps: HistoryDeps): CallbackHistory {
  return {
    list: async (filter) => {
      await bringLineUpToDate(deps.pool);
      return selectCallbacks(deps.pool, filter);
    },
    find: async (key) => {
      await bringLineUpToDate(deps.pool);
      return selectCallback(deps.pool, key);
    },
    attemptsOf: (key) => selectAttempts(deps.pool, key),
    resend: (key) => resend(deps, key),
    resendMany: (selection) => resendMany(deps, selection),
    resendSince: (options) => resendSince(deps, options),
    resendMissed: (options) => resendMissed(deps, options),
  };
}

async function resend(
  deps: HistoryDeps,
  { merchantId, callbackId }: CallbackKey,
): Promise<Result<null, "callback_not_found">> {
  const { resent } = await resendMany(deps, { merchantId, callbackIds: [callbackId] });
  return resent === 0 ? refused("callback_not_found") : ok(null);
}

/** A push that is being moved at this moment is in neither place for one look; the second look finds it in the other. */
const looksMax = 2;

async function resendMany(
  deps: HistoryDeps,
  { merchantId, callbackIds }: { readonly merchantId: number; readonly callbackIds: readonly string[] },
): Promise<{ readonly resent: number; readonly unknown: readonly string[] }> {
  if (callbackIds.length > callbackLimits.listMax) {
    throw new Error(`more than ${callbackLimits.listMax} pushes in one selection`);
  }
  await bringLineUpToDate(deps.pool);
  const nowMs = deps.clock.now();
  const wanted = new Set(callbackIds.map((id) => id.toLowerCase()));
  const count = wanted.size;
  for (let look = 0; look < looksMax && wanted.size > 0; look += 1) {
    for (const id of await intoLine(deps, () =>
      resendByIds(deps.pool, { merchantId, callbackIds: [...wanted], nowMs }),
    )) {
      wanted.delete(id);
    }
  }
  deps.wake();
  return { resent: count - wanted.size, unknown: callbackIds.filter((id) => wanted.has(id.toLowerCase())) };
}

/** An id is made shortly before or after the moment that its push carries as created_at. */
const idSlackMs = 600_000;

async function resendSince(
  deps: HistoryDeps,
  { merchantId, sinceMs }: { readonly merchantId: number; readonly sinceMs: number },
): Promise<number> {
  await bringLineUpToDate(deps.pool);
  const changed =
    (await resendOpen(deps, { merchantId, sinceMs, which: "all" })) +
    (await resendFinished(deps, { merchantId, sinceMs, which: "all" }));
  deps.wake();
  return changed;
}

async function resendMissed(deps: HistoryDeps, { merchantId }: { readonly merchantId: number }): Promise<number> {
  const changed =
    (await resendOpen(deps, { merchantId, sinceMs: 0, which: "failing" })) +
    (await resendFinished(deps, { merchantId, sinceMs: 0, which: "given_up" }));
  deps.wake();
  return changed;
}

async function resendFinished(
  deps: HistoryDeps,
  options: { readonly merchantId: number; readonly sinceMs: number; readonly which: "all" | "given_up" },
): Promise<number> {
  const nowMs = deps.clock.now();
  const sinceMs = Math.max(0, options.sinceMs);
  let changed = 0;
  let afterId: string | null = firstUuid7At(Math.max(0, Math.trunc(sinceMs) - idSlackMs));
  while (afterId !== null) {
    const step: { readonly afterId: string } = { afterId };
    const outcome = await intoLine(deps, () => resendFinishedStep(deps.pool, { ...options, ...step, sinceMs, nowMs }));
    changed += outcome.changed;
    afterId = outcome.next;
  }
  return changed;
}

/** Also what a resumed endpoint begins with. */
export async function resendOpen(
  deps: Pick<HistoryDeps, "pool" | "clock">,
  options: { readonly merchantId: number; readonly sinceMs: number; readonly which: "all" | "failing" },
): Promise<number> {
  const nowMs = deps.clock.now();
  let changed = 0;
  for (let after: typeof firstPlace | null = firstPlace; after !== null; ) {
    const outcome: Awaited<ReturnType<typeof resendOpenStep>> = await resendOpenStep(deps.pool, {
      ...options,
      nowMs,
      after,
    });
    changed += outcome.changed;
    after = outcome.next;
  }
  return changed;
}

/** A push that goes back takes its last try along into the partition of that try's day. */
function intoLine<Outcome>({ partitions, clock }: HistoryDeps, work: () => Promise<Outcome>): Promise<Outcome> {
  const nowMs = clock.now();
  const days = callbackLimits.attemptDays;
  return partitions.writing(() => Array.from({ length: days }, (_, ago) => nowMs - ago * dayMs), work);
}
