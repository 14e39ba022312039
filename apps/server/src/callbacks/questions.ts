import { ok, type Result, refused, uuid7 } from "#kernel/index.ts";
import { isSuccessStatus, readAnswer } from "./answer.ts";
import type { Connections } from "./connections.ts";
import { type Exchange, type ExchangeTimings, type RunningExchange, startExchange } from "./exchange.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackDeps, nameOf } from "./ports.ts";
import { signedPush } from "./push.ts";
import { createQuestionLog, type QuestionLog } from "./question-log.ts";

export interface Question {
  readonly merchantId: number;
  readonly consumeNo: string;
  /** The JSON text of the `data` of an `Auth` callback (contract section 6). */
  readonly dataText: string;
}

/** What the merchant said to a purchase, or why it said nothing. Everything but `approved` fails the purchase. */
export type QuestionOutcome =
  /** `approvedAmount`: the text of `approved_amount` when the merchant sent one (contract section 8), not yet checked. */
  | { readonly kind: "approved"; readonly approvedAmount: string | null }
  | { readonly kind: "declined"; readonly code: number; readonly reason: string | null }
  /** No complete answer within 800 ms. */
  | { readonly kind: "timeout" }
  /** No callback URL, no connection, or it broke before an answer began. */
  | { readonly kind: "unreachable" }
  /** Not HTTP 2xx, not JSON, no number as `code`, too large, or broken off. */
  | { readonly kind: "bad_answer" }
  /** Too many questions are open already: not asked. */
  | { readonly kind: "busy" };

export interface QuestionAnswer {
  readonly outcome: QuestionOutcome;
  readonly timings: ExchangeTimings;
  readonly httpStatus: number | null;
  readonly answerCode: number | null;
  /** A short code that says more about `unreachable` and `bad_answer`; else empty. */
  readonly error: string;
}

export interface Questions {
  /**
   * Asks the merchant whether it approves a purchase (`Auth`, contract section 6). Settles within 800 ms of real time after
   * the merchant's address and secret are known; never rejects.
   */
  ask(question: Question): Promise<QuestionAnswer>;
  /** For metrics. */
  load(): { readonly inFlight: number };
  /** Writes down what is not written yet; the caller asks no more questions. */
  stop(): Promise<void>;
}

export interface QuestionDeps extends CallbackDeps {
  readonly connections: Connections;
  /** Questions of one merchant in flight at most; 512 when absent. */
  readonly questionsOfMerchantMax?: number;
}

interface State {
  readonly deps: QuestionDeps;
  readonly questionLog: QuestionLog;
  readonly inFlightOf: Map<number, number>;
  inFlight: number;
  /** Asked and not yet written down. */
  readonly recording: Set<Promise<void>>;
}

interface Asked {
  readonly question: Question;
  readonly askedAtMs: number;
}

const noTimings: ExchangeTimings = { connectMs: null, sendMs: null, firstByteMs: null, doneMs: null };
const extraHeaders = ["Deadline-Ms", String(callbackLimits.questionDeadlineMs)];

export function createQuestions(deps: QuestionDeps): Questions {
  const state: State = {
    deps,
    questionLog: createQuestionLog(deps),
    inFlightOf: new Map(),
    inFlight: 0,
    recording: new Set(),
  };
  return {
    ask: (question) => ask(state, question),
    load: () => ({ inFlight: state.inFlight }),
    stop: async () => {
      // Each ends at the deadline, plus the time for late answers or for a connection that is still being made.
      await Promise.all(state.recording);
      await state.questionLog.stop();
    },
  };
}

async function ask(state: State, question: Question): Promise<QuestionAnswer> {
  const asked: Asked = { question, askedAtMs: state.deps.clock.now() };
  if (!takeSlot(state, question.merchantId)) {
    return notAsked(state, asked, { outcome: { kind: "busy" }, error: "" });
  }
  const running = await begin(state, asked);
  if (!running.ok) {
    freeSlot(state, question.merchantId);
    return notAsked(state, asked, { outcome: { kind: "unreachable" }, error: running.reason });
  }
  const answer = running.value.outcome.then(answerOf);
  const recorded = recordWhenOver(state, asked, { answer, over: running.value.over });
  state.recording.add(recorded);
  void recorded.finally(() => state.recording.delete(recorded));
  return answer;
}

async function begin(state: State, { question, askedAtMs }: Asked): Promise<Result<RunningExchange, string>> {
  const { deps } = state;
  try {
    const target = await deps.target(question.merchantId);
    if (target === null) {
      return refused("no_callback_url");
    }
    const connection = deps.connections.to({ merchantId: question.merchantId, url: target.url });
    if (!connection.ok) {
      return connection;
    }
    const request = signedPush(
      { id: uuid7(askedAtMs), action: "Auth", dataText: question.dataText },
      { target, timestampMs: deps.transportClock.now(), extraHeaders },
    );
    return ok(
      startExchange(connection.value, {
        ...request,
        deadlineMs: callbackLimits.questionDeadlineMs,
        lateMs: callbackLimits.lateAnswerMs,
        answerBytesMax: callbackLimits.answerBytesMax,
      }),
    );
  } catch (error) {
    // A purchase waits for this: whatever is wrong here fails it, instead of leaving its hold open.
    deps.log.error(
      { merchantId: question.merchantId, consumeNo: question.consumeNo, error: nameOf(error) },
      "a merchant could not be asked",
    );
    return refused("not_askable");
  }
}

function answerOf(exchange: Exchange): QuestionAnswer {
  const { timings, httpStatus, error } = exchange;
  switch (exchange.end) {
    case "timeout":
      return { outcome: { kind: "timeout" }, timings, httpStatus, answerCode: null, error: "" };
    case "unreachable":
      return { outcome: { kind: "unreachable" }, timings, httpStatus, answerCode: null, error };
    case "broken":
      return { outcome: { kind: "bad_answer" }, timings, httpStatus, answerCode: null, error };
    case "answered":
      return { timings, httpStatus, ...readOutcome(exchange) };
  }
}

function readOutcome({ body, httpStatus }: Exchange): Pick<QuestionAnswer, "outcome" | "answerCode" | "error"> {
  const answer = readAnswer(body);
  // A server that fails often says so in JSON with a code of its own: that is no merchant's decision.
  if (!isSuccessStatus(httpStatus)) {
    return { outcome: { kind: "bad_answer" }, answerCode: answer?.code ?? null, error: "http_status" };
  }
  if (answer === null) {
    return { outcome: { kind: "bad_answer" }, answerCode: null, error: "not_an_answer" };
  }
  const { code, approvedAmount, reason } = answer;
  const outcome: QuestionOutcome =
    code === 0 ? { kind: "approved", approvedAmount } : { kind: "declined", code, reason };
  return { outcome, answerCode: code, error: "" };
}

function notAsked(state: State, asked: Asked, why: Pick<QuestionAnswer, "outcome" | "error">): QuestionAnswer {
  const answer: QuestionAnswer = { ...why, timings: noTimings, httpStatus: null, answerCode: null };
  writeDown(state, asked, { answer, last: answer });
  return answer;
}

/** The slot is held until the connection is free again, so that a hanging merchant cannot pile up connections. */
async function recordWhenOver(
  state: State,
  asked: Asked,
  { answer, over }: { readonly answer: Promise<QuestionAnswer>; readonly over: Promise<Exchange> },
): Promise<void> {
  const last = answerOf(await over);
  freeSlot(state, asked.question.merchantId);
  writeDown(state, asked, { answer: await answer, last });
}

/** The verdict is what the purchase went by; times, status and code are the last known, so a late answer shows beside `timeout`. */
function writeDown(
  state: State,
  { question, askedAtMs }: Asked,
  { answer, last }: { readonly answer: QuestionAnswer; readonly last: QuestionAnswer },
): void {
  state.questionLog.write({
    merchantId: question.merchantId,
    consumeNo: question.consumeNo,
    askedAtMs,
    timings: last.timings,
    httpStatus: last.httpStatus,
    answerCode: last.answerCode,
    verdict: answer.outcome.kind,
  });
}

function takeSlot(state: State, merchantId: number): boolean {
  const inFlight = state.inFlightOf.get(merchantId) ?? 0;
  const ofMerchantMax = state.deps.questionsOfMerchantMax ?? callbackLimits.questionsOfMerchantMax;
  if (inFlight >= ofMerchantMax || state.inFlight >= callbackLimits.questionsMax) {
    return false;
  }
  state.inFlightOf.set(merchantId, inFlight + 1);
  state.inFlight += 1;
  return true;
}

function freeSlot(state: State, merchantId: number): void {
  const inFlight = (state.inFlightOf.get(merchantId) ?? 1) - 1;
  if (inFlight === 0) {
    state.inFlightOf.delete(merchantId);
  } else {
    state.inFlightOf.set(merchantId, inFlight);
  }
  state.inFlight -= 1;
}
