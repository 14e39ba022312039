import { randomBytes, randomUUID } from "node:crypto";
import type { Pool } from "pg";
import { inTransaction } from "#database/index.ts";
import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import type { Merchants } from "#merchants/index.ts";
import { sandboxPath } from "../sandbox-call.ts";
import { relayLimits } from "./limits.ts";
import {
  deleteListener,
  type ListenerKey,
  selectSilentListeners,
  updatePreviousUrl,
  upsertListener,
} from "./listener-store.ts";

export interface ListeningDeps {
  readonly pool: Pool;
  /** The machine's time: a person waits for it, and the sandbox's clock jumps. */
  readonly clock: Clock;
  readonly merchants: Pick<Merchants, "replaceCallbackUrl">;
  /** Where the platform's other processes reach this one's API, without a slash at the end. */
  readonly apiUrl: () => string;
}

export interface Listening extends ListenerKey {
  /** The relay's, now the merchant's. */
  readonly callbackUrl: string;
  readonly previousUrl: string;
}

const relayPath = `${sandboxPath}/relay/`;
const by = { actor: "sandbox listener" };

/**
 * Makes the relay the merchant's callback URL and remembers the one before, in one transaction. A listener that is there already is
 * replaced; what was there before it stays remembered.
 */
export async function beginListening(
  deps: ListeningDeps,
  merchantId: number,
): Promise<Result<Listening, "merchant_closed">> {
  const listenId = randomUUID();
  const begin = { merchantId, listenId, relaySecret: randomBytes(32).toString("base64url"), at: deps.clock.now() };
  return inTransaction(
    deps.pool,
    async (tx): Promise<Result<Listening, "merchant_closed">> => {
      const row = await upsertListener(tx, begin);
      const callbackUrl = `${deps.apiUrl()}${relayPath}${row.relaySecret}`;
      const changed = await deps.merchants.replaceCallbackUrl(tx, { merchantId, next: () => callbackUrl, by });
      if (!changed.ok) {
        return closedOrBug(changed.reason);
      }
      const { before } = changed.value;
      const previousUrl = isRelayUrl(before) ? row.previousUrl : before;
      await updatePreviousUrl(tx, { merchantId, previousUrl });
      return ok({ merchantId, listenId, callbackUrl, previousUrl });
    },
    { commitWhen: (outcome) => outcome.ok },
  );
}

/**
 * Puts the URL back that was there before, in one transaction, and answers it; null when this listener is not there any more. A URL
 * that somebody has set meanwhile stays.
 */
export async function endListening(
  deps: Pick<ListeningDeps, "pool" | "merchants">,
  key: ListenerKey & { readonly silentSince?: number },
): Promise<{ readonly callbackUrl: string } | null> {
  return inTransaction(deps.pool, async (tx) => {
    const previousUrl = await deleteListener(tx, key);
    if (previousUrl === null) {
      return null;
    }
    const next = (present: string): string => (isRelayUrl(present) ? previousUrl : present);
    const changed = await deps.merchants.replaceCallbackUrl(tx, { merchantId: key.merchantId, next, by });
    if (!changed.ok) {
      // A closed merchant changes no more: it keeps the relay's URL, where nobody listens.
      closedOrBug(changed.reason);
      return null;
    }
    return { callbackUrl: changed.value.after };
  });
}

/** Ends listeners whose stream has not been open for 30 s, also those of processes that were killed. Safe in any number of processes. */
export async function endSilent(deps: Pick<ListeningDeps, "pool" | "merchants" | "clock">): Promise<number> {
  const silentSince = deps.clock.now() - relayLimits.silentMsMax;
  const silent = await selectSilentListeners(deps.pool, { silentSince, limit: relayLimits.endedAtOnceMax });
  for (const key of silent) {
    await endListening(deps, { ...key, silentSince });
  }
  return silent.length;
}

function isRelayUrl(url: string): boolean {
  return URL.parse(url)?.pathname.startsWith(relayPath) === true;
}

function closedOrBug(reason: string): Result<never, "merchant_closed"> {
  if (reason !== "merchant_closed") {
    throw new Error(`the callback URL could not be changed: ${reason}`);
  }
  return refused(reason);
}
