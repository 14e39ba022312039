import { CardwrightError, SignatureError } from "../errors.ts";
import type { AuthAnswer } from "./answers.ts";
import { type CardOrder, createCardOrder } from "./card-order.ts";
import {
  type FallbackReason,
  type HandlerOptions,
  type HandlerSettings,
  handlerLimits,
  handlerSettings,
  type PushContext,
} from "./handler-options.ts";
import { hexOf } from "./hmac.ts";
import type { AuthCallback, Callback, CallbackRequest, RawAnswer } from "./types.ts";
import { authAnswerOnWire, wireAnswers } from "./wire-answers.ts";

/** Answers one callback request, whatever it is; never throws. */
export type Handle = (request: CallbackRequest) => Promise<RawAnswer>;

type Push = Exclude<Callback, AuthCallback>;

interface State {
  readonly verify: (request: CallbackRequest) => Promise<Callback>;
  readonly options: HandlerOptions;
  readonly settings: HandlerSettings;
  readonly order: CardOrder;
  /** What is being handled, by the push's key: a repeat that comes meanwhile gets the same answer. */
  readonly running: Map<string, Promise<RawAnswer>>;
}

export function createHandle(verify: State["verify"], options: HandlerOptions): Handle {
  const settings = handlerSettings(options);
  const { handlingMsMax, waitingOfCardMax: waitingMax, cardsMax } = handlerLimits;
  const order = createCardOrder({ gapWaitMs: settings.gapWaitMs, handlingMsMax, waitingMax, cardsMax });
  const state: State = { verify, options, settings, order, running: new Map() };
  return async (request) => {
    const startedMs = performance.now();
    const verified = await verifiedOrAnswer(state, request);
    if ("status" in verified) return verified;
    try {
      return verified.action === "Auth"
        ? await answerAuth(state, verified, startedMs)
        : await answerPush(state, verified);
    } catch (error) {
      tell(state, error, verified);
      return wireAnswers.notTaken;
    }
  };
}

async function verifiedOrAnswer(state: State, request: CallbackRequest): Promise<Callback | RawAnswer> {
  try {
    const verified = await within(state.verify(request), handlerLimits.bodyMsMax);
    if (verified !== null) return verified;
    tell(state, new CardwrightError("the callback's body did not arrive in time"), null);
    return wireAnswers.notTaken;
  } catch (error) {
    tell(state, error, null);
    if (!(error instanceof SignatureError)) return wireAnswers.notTaken;
    if (error.reason === "body_too_large") return wireAnswers.tooLarge;
    return error.reason === "data_not_as_agreed" ? wireAnswers.notAsAgreed : wireAnswers.notVerified;
  }
}

async function answerAuth(state: State, callback: AuthCallback, startedMs: number): Promise<RawAnswer> {
  const key = await keyOf(callback);
  const running = state.running.get(key);
  if (running !== undefined) {
    tellRepeat(state, callback);
    return await running;
  }
  if (state.running.size >= handlerLimits.runningMax) return fallback(state, callback, "overloaded");
  const { deadlineMs } = callback;
  const allowedMs = Math.min(
    state.settings.authTimeoutMs,
    deadlineMs === null ? Number.POSITIVE_INFINITY : deadlineMs - handlerLimits.deadlineMarginMs,
  );
  const decided = decide(state, callback, { key, endsAtMs: startedMs + allowedMs });
  state.running.set(key, decided);
  // A repeat is told the same until the answer is written down; the answer itself waits for no store.
  const written = decided.then((answer) => remember(state, { key, answer, callback }));
  void within(written, handlerLimits.handlingMsMax).finally(() => state.running.delete(key));
  return await decided;
}

interface Decision {
  readonly key: string;
  readonly endsAtMs: number;
}

async function decide(state: State, callback: AuthCallback, { key, endsAtMs }: Decision): Promise<RawAnswer> {
  const { onAuth } = state.options;
  if (onAuth === undefined) return fallback(state, callback, "not_handled");
  const late = new AbortController();
  const msLeft = (): number => Math.max(0, endsAtMs - performance.now());
  const ask = async (): Promise<AuthAnswer | RawAnswer> =>
    (await recalled(state, key, callback)) ?? (await onAuth(callback, { signal: late.signal, msLeft }));
  const asked = ask();
  try {
    const answer = await within(asked, msLeft());
    if (answer !== null) return "status" in answer ? answer : authAnswerOnWire(answer);
  } catch (error) {
    tell(state, error, callback);
    return fallback(state, callback, "failed");
  }
  late.abort();
  void tellLate(state, callback, asked);
  return fallback(state, callback, "late");
}

async function tellLate(state: State, callback: AuthCallback, asked: Promise<AuthAnswer | RawAnswer>): Promise<void> {
  try {
    const answer = await asked;
    if (!("status" in answer)) await state.options.onLateAuth?.(callback, answer);
  } catch (error) {
    tell(state, error, callback);
  }
}

function fallback(state: State, callback: AuthCallback, why: FallbackReason): RawAnswer {
  try {
    return authAnswerOnWire(state.settings.authFallback(callback, why));
  } catch (error) {
    tell(state, error, callback);
    return wireAnswers.notTaken;
  }
}

async function answerPush(state: State, callback: Push): Promise<RawAnswer> {
  if (isHarmlessTest(callback)) return wireAnswers.taken;
  const key = await keyOf(callback);
  const running = state.running.get(key);
  if (running !== undefined) tellRepeat(state, callback);
  const answered = running ?? startPush(state, callback, key);
  return (await within(answered, state.settings.pushTimeoutMs)) ?? wireAnswers.notYetTaken;
}

/** What the platform sends as a test changes nothing, and may be about a card that does not exist. The header alone proves nothing. */
function isHarmlessTest(callback: Push): boolean {
  if (!callback.isTest || callback.action !== "Card_update") return false;
  const { before_status, after_status, reason } = callback.data;
  return before_status === after_status && reason === "test";
}

function startPush(state: State, callback: Push, key: string): Promise<RawAnswer> {
  if (state.running.size >= handlerLimits.runningMax) return Promise.resolve(wireAnswers.overloaded);
  const cardNo: unknown = "card_no" in callback.data ? callback.data.card_no : "";
  const handled = state.order.run(
    { cardNo: typeof cardNo === "string" ? cardNo : "", sequence: callback.sequence },
    (context) => handlePush(state, callback, { key, context }),
  );
  if (handled === null) return Promise.resolve(wireAnswers.overloaded);
  const answered = handled.catch((error: unknown) => {
    tell(state, error, callback);
    return wireAnswers.notTaken;
  });
  state.running.set(key, answered);
  const forget = (): void => {
    if (state.running.get(key) === answered) state.running.delete(key);
  };
  void within(answered, handlerLimits.handlingMsMax + state.settings.pushTimeoutMs).finally(forget);
  return answered;
}

/** Throws when the push was not taken. */
async function handlePush(
  state: State,
  callback: Push,
  { key, context }: { readonly key: string; readonly context: PushContext },
): Promise<RawAnswer> {
  const known = await recalled(state, key, callback);
  if (known !== null) return known;
  const { onConsumption, onCardUpdate, onOther } = state.options;
  switch (callback.action) {
    case "Consumption":
      await onConsumption?.(callback, context);
      break;
    case "Card_update":
      await onCardUpdate?.(callback, context);
      break;
    case "other":
      await onOther?.(callback, context);
      break;
  }
  await remember(state, { key, answer: wireAnswers.taken, callback });
  return wireAnswers.taken;
}

/**
 * What tells repeats from new pushes: the push id where a signature covers it, else the content, because V1 alone would let anybody
 * who has seen a callback send it again under another id.
 */
async function keyOf({ id, dataText, verifiedBy }: Callback): Promise<string> {
  if (verifiedBy.includes("standard_webhooks")) return id;
  return `v1:${hexOf(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(dataText))))}`;
}

/** The answer to an earlier try, or null. A store that fails costs a repeat, not the push. */
async function recalled(state: State, key: string, callback: Callback): Promise<RawAnswer | null> {
  try {
    const text = await state.settings.repeats.get(key);
    const match = /^(\d{3}) (.*)$/su.exec(text ?? "");
    if (match === null) return null;
    tellRepeat(state, callback);
    return { status: Number(match[1]), body: match[2] ?? "" };
  } catch (error) {
    tell(state, error, callback);
    return null;
  }
}

async function remember(
  state: State,
  { key, answer, callback }: { readonly key: string; readonly answer: RawAnswer; readonly callback: Callback },
): Promise<void> {
  try {
    await state.settings.repeats.set(key, `${answer.status} ${answer.body}`);
  } catch (error) {
    tell(state, error, callback);
  }
}

function tell(state: State, error: unknown, callback: Callback | null): void {
  try {
    state.options.onError?.(error, callback);
  } catch {
    // A log that fails must not become an answer.
  }
}

function tellRepeat(state: State, callback: Callback): void {
  try {
    state.options.onRepeat?.(callback);
  } catch (error) {
    tell(state, error, callback);
  }
}

/** Its value, or null when it takes longer. */
async function within<Value>(work: Promise<Value>, ms: number): Promise<Value | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
