import { createHash, randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import { ok, type Result, refused } from "#kernel/index.ts";
import { relayLimits } from "./limits.ts";
import type { ListenerKey } from "./listener-store.ts";
import { requestLine } from "./request-line.ts";

/** What a listener answers, as it goes back to the platform. */
export interface RelayedAnswer {
  readonly status: number;
  /** Empty: the header is left out. */
  readonly contentType: string;
  readonly body: string;
}

export interface RelayedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Aborted when the caller does not wait any more. */
  readonly gone: AbortSignal;
}

export type RelayRefusal = "nobody_listens" | "too_many_waiting" | "callback_too_long" | "no_answer_in_time";

export interface RelayDeps {
  /** Notes that the stream is open; false when the listener has ended or was replaced, then the stream ends. */
  readonly touch: (key: ListenerKey) => Promise<boolean>;
  readonly onError: (error: unknown) => void;
}

/**
 * The listeners whose streams this process holds, and the callbacks that wait for their answers. Nothing of it is kept: a callback
 * that nobody answers is one that failed, and the platform sends it again.
 */
export interface Relay {
  /** The stream of lines to a listener; one that the merchant has open already ends. */
  open(listener: ListenerKey & { readonly secret: string }): Result<Readable, "too_many_listeners">;
  hasListener(secret: string): boolean;
  /** Hands a callback to the listener of this secret and waits for the answer, 5 s at most. Never rejects. */
  forward(secret: string, request: RelayedRequest): Promise<Result<RelayedAnswer, RelayRefusal>>;
  /** False when nobody waits for this answer, or not any more. */
  answer(key: ListenerKey & { readonly requestId: string }, answer: RelayedAnswer): boolean;
  /** Ends the stream of a merchant's listener, whichever it is. */
  close(merchantId: number): void;
  /** Ends every stream; who waits is told that nobody listens. */
  closeAll(): void;
}

type Outcome = Result<RelayedAnswer, RelayRefusal>;

interface Stream extends ListenerKey {
  readonly secretHash: string;
  readonly lines: Readable;
  readonly waiting: Map<string, (outcome: Outcome) => void>;
  readonly beat: NodeJS.Timeout;
  /** Nothing more is written to it. */
  ended: boolean;
}

interface State {
  readonly deps: RelayDeps;
  readonly bySecret: Map<string, Stream>;
  readonly byMerchant: Map<number, Stream>;
}

export function createRelay(deps: RelayDeps): Relay {
  const state: State = { deps, bySecret: new Map(), byMerchant: new Map() };
  const closeMerchant = (merchantId: number): void => {
    const stream = state.byMerchant.get(merchantId);
    if (stream !== undefined) {
      end(state, stream);
    }
  };
  return {
    open: (listener) => {
      closeMerchant(listener.merchantId);
      return state.byMerchant.size >= relayLimits.listenersMax
        ? refused("too_many_listeners")
        : ok(open(state, listener).lines);
    },
    hasListener: (secret) => state.bySecret.has(hashOf(secret)),
    forward: (secret, request) => {
      const stream = state.bySecret.get(hashOf(secret));
      return stream === undefined ? Promise.resolve(refused("nobody_listens")) : forward(state, stream, request);
    },
    answer: ({ merchantId, listenId, requestId }, answer) => {
      const stream = state.byMerchant.get(merchantId);
      const settle = stream?.listenId === listenId ? stream.waiting.get(requestId) : undefined;
      settle?.(ok(answer));
      return settle !== undefined;
    },
    close: closeMerchant,
    closeAll: () => {
      for (const stream of state.byMerchant.values()) {
        end(state, stream);
      }
    },
  };
}

/** Looking a secret up by its hash tells nothing about it by the time it takes. */
function hashOf(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

function open(state: State, { merchantId, listenId, secret }: ListenerKey & { readonly secret: string }): Stream {
  // Lines are pushed as callbacks come; nothing is made on demand.
  const lines = new Readable({ read: () => undefined });
  const beat = setInterval(() => void beatOnce(state, stream), relayLimits.beatMs);
  const secretHash = hashOf(secret);
  const stream: Stream = { merchantId, listenId, secretHash, lines, waiting: new Map(), beat, ended: false };
  state.byMerchant.set(merchantId, stream);
  state.bySecret.set(secretHash, stream);
  lines.once("close", () => {
    end(state, stream);
    // The 30 s without a stream begin now.
    void touch(state, stream);
  });
  // At once, so that the listener sees that it is connected.
  lines.push("\n");
  return stream;
}

async function beatOnce(state: State, stream: Stream): Promise<void> {
  push(state, stream, "\n");
  if (!(await touch(state, stream))) {
    end(state, stream);
  }
}

/** True also when it is not known: a database that is away for a moment ends no stream. */
async function touch({ deps }: State, { merchantId, listenId }: Stream): Promise<boolean> {
  try {
    return await deps.touch({ merchantId, listenId });
  } catch (error) {
    deps.onError(error);
    return true;
  }
}

function push(state: State, stream: Stream, line: string): void {
  if (stream.ended) {
    return;
  }
  stream.lines.push(line);
  if (stream.lines.readableLength > relayLimits.unreadCharactersMax) {
    end(state, stream);
    stream.lines.destroy();
  }
}

/** Repeats change nothing. A stream that replaced this one is left alone. */
function end(state: State, stream: Stream): void {
  if (state.byMerchant.get(stream.merchantId) === stream) {
    state.byMerchant.delete(stream.merchantId);
  }
  if (state.bySecret.get(stream.secretHash) === stream) {
    state.bySecret.delete(stream.secretHash);
  }
  for (const settle of stream.waiting.values()) {
    settle(refused("nobody_listens"));
  }
  if (!stream.ended) {
    stream.ended = true;
    clearInterval(stream.beat);
    stream.lines.push(null);
    // Who does not even read the end is cut off.
    setTimeout(() => stream.lines.destroy(), relayLimits.beatMs).unref();
  }
}

function forward(state: State, stream: Stream, request: RelayedRequest): Promise<Outcome> {
  if (stream.waiting.size >= relayLimits.waitingOfListenerMax) {
    return Promise.resolve(refused("too_many_waiting"));
  }
  const requestId = randomUUID();
  const line = requestLine({ ...request, requestId });
  if (line.length > relayLimits.lineCharactersMax) {
    return Promise.resolve(refused("callback_too_long"));
  }
  return new Promise((resolve) => {
    const settle = (outcome: Outcome): void => {
      clearTimeout(timer);
      request.gone.removeEventListener("abort", onGone);
      stream.waiting.delete(requestId);
      resolve(outcome);
    };
    const onGone = (): void => settle(refused("no_answer_in_time"));
    const timer = setTimeout(onGone, relayLimits.answerMsMax);
    request.gone.addEventListener("abort", onGone);
    stream.waiting.set(requestId, settle);
    push(state, stream, line);
  });
}
