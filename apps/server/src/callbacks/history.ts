import { ok, type Result, refused } from "#kernel/index.ts";
import {
  type CallbackAttempt,
  type CallbackEntry,
  type CallbackFilter,
  type CallbackKey,
  deleteFinished,
  makeDueAgain,
  makeStepDueAgain,
  selectAttempts,
  selectCallbacks,
} from "./history-store.ts";
import { callbackLimits } from "./limits.ts";
import type { CallbackDeps } from "./ports.ts";

/** What an operator can see of the pushes and do about them. */
export interface CallbackHistory {
  list(filter: CallbackFilter): Promise<CallbackEntry[]>;
  /** The tries of a push, the latest first. */
  attemptsOf(key: CallbackKey): Promise<CallbackAttempt[]>;
  /** Sends a push again, whatever became of it, with the same id and data and a new schedule of retries. */
  resend(key: CallbackKey): Promise<Result<null, "callback_not_found">>;
  /** Sends all of a merchant's pushes again that were made since a moment, in steps, in the order of each card. Returns how many. */
  resendSince(options: { readonly merchantId: number; readonly sinceMs: number }): Promise<number>;
  /** Removes at most `limit` pushes that ended more than 30 days ago. Returns how many; call again while it is `limit`. */
  removeOld(limit?: number): Promise<number>;
}

export interface HistoryDeps extends Pick<CallbackDeps, "pool" | "clock"> {
  /** Told when something has become due. */
  readonly wake: () => void;
}

export function createHistory(deps: HistoryDeps): CallbackHistory {
  return {
    list: (filter) => selectCallbacks(deps.pool, filter),
    attemptsOf: (key) => selectAttempts(deps.pool, key),
    resend: (key) => resend(deps, key),
    resendSince: (options) => resendSince(deps, options),
    removeOld: (limit) => removeOld(deps, limit),
  };
}

async function resend(
  { pool, clock, wake }: HistoryDeps,
  key: CallbackKey,
): Promise<Result<null, "callback_not_found">> {
  if (!(await makeDueAgain(pool, { ...key, nowMs: clock.now() }))) {
    return refused("callback_not_found");
  }
  wake();
  return ok(null);
}

/** An id is made shortly before or after the moment that its push carries as created_at. */
const idSlackMs = 600_000;

async function resendSince(
  { pool, clock, wake }: HistoryDeps,
  { merchantId, sinceMs }: { readonly merchantId: number; readonly sinceMs: number },
): Promise<number> {
  const nowMs = clock.now();
  let changed = 0;
  let afterId: string | null = lowestIdAt(Math.max(0, sinceMs - idSlackMs));
  // Pushes made after this call began are not part of it, so the steps come to an end.
  while (afterId !== null) {
    const step = await makeStepDueAgain(pool, { merchantId, sinceMs, nowMs, afterId });
    changed += step.changed;
    afterId = step.nextAfterId;
  }
  wake();
  return changed;
}

/** A UUID below every version 7 UUID of a millisecond: its first 48 bits are the time. */
function lowestIdAt(ms: number): string {
  const hex = Math.trunc(ms).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-0000-0000-000000000000`;
}

function removeOld({ pool, clock }: HistoryDeps, limit: number = callbackLimits.rowsPerStep): Promise<number> {
  const finishedBeforeMs = clock.now() - callbackLimits.keptAfterEndMs;
  return deleteFinished(pool, { finishedBeforeMs, limit: Math.min(Math.max(limit, 1), callbackLimits.rowsPerStep) });
}
