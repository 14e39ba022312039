import { within } from "../options.ts";
import { type AuthAnswer, decline } from "./answers.ts";
import { memoryRepeatStore, type RepeatStore } from "./repeats.ts";
import type { AuthCallback, Callback, CardUpdateCallback, ConsumptionCallback, OtherCallback } from "./types.ts";

export interface AuthContext {
  /** Is aborted when the safety time-out is over and `authFallback` has been answered. */
  readonly signal: AbortSignal;
  /** Milliseconds that are left until then. */
  readonly msLeft: () => number;
}

export interface PushContext {
  /** A later push about this card was handled before this one: what it says may be outdated. */
  readonly isLate: boolean;
}

/**
 * Why `onAuth` was not what was answered: it took too long, it threw or gave something else, there is none, or too many callbacks
 * are being handled.
 */
export type FallbackReason = "late" | "failed" | "not_handled" | "overloaded";

/** What the merchant does with its callbacks. Everything that throws or rejects is told to `onError`. */
export interface HandlerOptions {
  /** May this purchase go through? `approve()`, `decline(reason)`; authorization mode. */
  readonly onAuth?: ((callback: AuthCallback, context: AuthContext) => Promise<AuthAnswer> | AuthAnswer) | undefined;
  /** A push counts as taken when this ends well; when it throws, the platform sends it again. */
  readonly onConsumption?: ((callback: ConsumptionCallback, context: PushContext) => Promise<void> | void) | undefined;
  readonly onCardUpdate?: ((callback: CardUpdateCallback, context: PushContext) => Promise<void> | void) | undefined;
  /** Of an action that this version does not know. Without it such a push is taken and forgotten. */
  readonly onOther?: ((callback: OtherCallback, context: PushContext) => Promise<void> | void) | undefined;
  /** `onAuth` ended after its safety time-out: this is what it said. If it has kept money for the purchase, release it. */
  readonly onLateAuth?: ((callback: AuthCallback, answer: AuthAnswer) => Promise<void> | void) | undefined;
  /** A push or question that was answered before and now gets the same answer, without being handled: for a counter. */
  readonly onRepeat?: ((callback: Callback) => void) | undefined;
  /** What went wrong, for a log. A `SignatureError` means that somebody else than the platform called, or that the keys are wrong. */
  readonly onError?: ((error: unknown, callback: Callback | null) => void) | undefined;
  /**
   * Until `authFallback` is answered, 700 ms unless told; from 1 to 10,000. The platform waits for 800 ms with the network's time
   * inside. A `Deadline-Ms` header that leaves less shortens it.
   */
  readonly authTimeoutMs?: number | undefined;
  /** What is answered instead of `onAuth`; a decline unless told. */
  readonly authFallback?: AuthAnswer | ((callback: AuthCallback, why: FallbackReason) => AuthAnswer) | undefined;
  /** Until a push is answered as not taken, 4,500 ms unless told; from 1 to 60,000. The platform waits for 5 s, and sends it again. */
  readonly pushTimeoutMs?: number | undefined;
  /**
   * How long a push waits for one of the same card that has a lower `Sequence` and is not here, 100 ms unless told; from 0 to
   * 60,000. 0 where several processes share the callbacks: each sees gaps all the time.
   */
  readonly gapWaitMs?: number | undefined;
  /** Where answers to earlier pushes are kept; in memory unless told. */
  readonly repeats?: RepeatStore | undefined;
}

export interface HandlerSettings {
  readonly authTimeoutMs: number;
  readonly authFallback: (callback: AuthCallback, why: FallbackReason) => AuthAnswer;
  readonly pushTimeoutMs: number;
  readonly gapWaitMs: number;
  readonly repeats: RepeatStore;
}

export const handlerLimits = {
  /** Until the body is here: the platform sends it in one piece. */
  bodyMsMax: 5_000,
  /** Of a `Deadline-Ms`, for the answer's way back. */
  deadlineMarginMs: 100,
  /** Callbacks that are handled at once, each a few KB; a platform has at most 528 of one merchant under way. */
  runningMax: 2_048,
  /** After this, a push that is still being handled is looked at as lost: it holds up nothing, and may be handled once more. */
  handlingMsMax: 60_000,
  waitingOfCardMax: 64,
  cardsMax: 10_000,
} as const;

const fallbackMessages: Readonly<Record<FallbackReason, string>> = {
  late: "no decision in time",
  failed: "no decision",
  not_handled: "not handled",
  overloaded: "overloaded",
};

/** Throws a RangeError for what is out of bounds. */
export function handlerSettings(options: HandlerOptions): HandlerSettings {
  const { authFallback } = options;
  return {
    authTimeoutMs: within("authTimeoutMs", options.authTimeoutMs ?? 700, { min: 1, max: 10_000 }),
    authFallback:
      typeof authFallback === "function"
        ? authFallback
        : (_, why) => authFallback ?? decline("do_not_honor", { message: fallbackMessages[why] }),
    pushTimeoutMs: within("pushTimeoutMs", options.pushTimeoutMs ?? 4_500, { min: 1, max: 60_000 }),
    gapWaitMs: within("gapWaitMs", options.gapWaitMs ?? 100, { min: 0, max: 60_000 }),
    repeats: options.repeats ?? memoryRepeatStore(),
  };
}
