import { setTimeout as sleep } from "node:timers/promises";
import { isUnavailable } from "#database/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import { relayLimits } from "./limits.ts";
import { type ListenerKey, touchListener } from "./listener-store.ts";
import { beginListening, endListening, endSilent, type Listening, type ListeningDeps } from "./listening.ts";
import { createRelay, type Relay } from "./relay.ts";

export interface ListenersDeps extends ListeningDeps {
  /** Told what went wrong on our side; gets no part of a callback. */
  readonly onError: (error: unknown) => void;
}

/** Developers who receive their merchant's callbacks through this process, one for each merchant. */
export interface Listeners extends Pick<Relay, "hasListener" | "forward" | "answer"> {
  /** From now on, within the 5 s for which URLs are remembered, the merchant's callbacks come to the relay. */
  begin(merchantId: number): Promise<Result<Listening, "merchant_closed">>;
  /** The stream of callbacks, which this process holds. The listener may have begun in another one. */
  open(key: ListenerKey): Promise<Result<NodeJS.ReadableStream, "listen_unknown" | "too_many_listeners">>;
  /** Null when this listener is not there any more; else the URL that the merchant has again. */
  end(key: ListenerKey): Promise<{ readonly callbackUrl: string } | null>;
  /** Ends the streams: the process stops, and a request that never ends must not hold it up. The rows stay for 30 s. */
  letGo(): void;
  stop(): Promise<void>;
}

export function createListeners(deps: ListenersDeps): Listeners {
  const touch = (key: ListenerKey): Promise<string | null> =>
    touchListener(deps.pool, { ...key, at: deps.clock.now() });
  const relay = createRelay({
    touch: async (key) => (await touch(key)) !== null,
    onError: (error) => tell(deps, error),
  });
  const stopping = new AbortController();
  const looking = lookForSilent(deps, stopping.signal);
  return {
    hasListener: (secret) => relay.hasListener(secret),
    forward: (secret, request) => relay.forward(secret, request),
    answer: (key, answer) => relay.answer(key, answer),
    begin: async (merchantId) => {
      const begun = await beginListening(deps, merchantId);
      if (begun.ok) {
        relay.close(merchantId);
      }
      return begun;
    },
    open: async (key) => {
      const secret = await touch(key);
      const opened = secret === null ? refused("listen_unknown") : relay.open({ ...key, secret });
      return opened.ok ? ok(opened.value) : opened;
    },
    end: async (key) => {
      const ended = await endListening(deps, key);
      if (ended !== null) {
        relay.close(key.merchantId);
      }
      return ended;
    },
    letGo: () => relay.closeAll(),
    stop: async () => {
      relay.closeAll();
      stopping.abort();
      await looking;
    },
  };
}

async function lookForSilent(deps: ListenersDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await sleep(relayLimits.lookMs, undefined, { signal, ref: false });
      await endSilent(deps);
    } catch (error) {
      if (!signal.aborted) {
        tell(deps, error);
      }
    }
  }
}

/** That the database is away is told by others already. */
function tell(deps: ListenersDeps, error: unknown): void {
  if (!isUnavailable(error)) {
    deps.onError(error);
  }
}
