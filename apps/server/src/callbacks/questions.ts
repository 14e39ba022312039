import { performance } from "node:perf_hooks";
import { setImmediate as nextTurn } from "node:timers/promises";
import { ok, type Result, refused, uuid7 } from "#kernel/index.ts";
import { type BackgroundWriter, createBackgroundWriter } from "./background-writer.ts";
import { type Breaker, type BreakerChange, createBreaker, type Permit } from "./breaker.ts";
import type { Connections } from "./connections.ts";
import { type Exchange, type RunningExchange, startExchange } from "./exchange.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackDeps, nameOf } from "./ports.ts";
import { signedPush } from "./push.ts";
import { insertQuestions, type QuestionRow } from "./question-store.ts";
import { healthOf, type QuestionAnswer, verdictOf, withoutAsking } from "./verdict.ts";

export interface Question {
  readonly merchantId: number;
  readonly consumeNo: string;
  /** The JSON text of the `data` of an `Auth` callback (contract section 6). */
  readonly dataText: string;
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

export interface QuestionDeps extends Omit<CallbackDeps, "onBreaker"> {
  readonly connections: Connections;
  readonly onBreaker: (change: BreakerChange) => void;
  /** Questions of one merchant in flight at most; 512 when absent. */
  readonly questionsOfMerchantMax?: number;
  /** Questions in a row without a proper answer that open a merchant's circuit; 10 when absent. */
  readonly questionFailuresMax?: number;
}

interface State {
  readonly deps: QuestionDeps;
  readonly records: BackgroundWriter<QuestionRow>;
  readonly breaker: Breaker;
  readonly inFlightOf: Map<number, number>;
  inFlight: number;
  /** Asked and not yet written down. */
  readonly recording: Set<Promise<void>>;
}

interface Asked {
  readonly question: Question;
  readonly askedAtMs: number;
}

const extraHeaders = ["Deadline-Ms", String(callbackLimits.questionDeadlineMs)];

export function createQuestions(deps: QuestionDeps): Questions {
  const { pool, log, onBreaker: onChange, questionFailuresMax: failuresMax } = deps;
  const state: State = {
    deps,
    records: createBackgroundWriter({
      log,
      name: "merchant questions",
      gatherMs: callbackLimits.questionsGatherMs,
      insert: (rows: readonly QuestionRow[]) => insertQuestions(pool, rows),
    }),
    breaker: createBreaker({
      monotonicNow: () => performance.now(),
      onChange,
      ...(failuresMax === undefined ? {} : { failuresMax }),
    }),
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
      await state.records.stop();
    },
  };
}

async function ask(state: State, question: Question): Promise<QuestionAnswer> {
  const { merchantId } = question;
  const asked: Asked = { question, askedAtMs: state.deps.clock.now() };
  const permit = state.breaker.admit(merchantId);
  if (permit === null) {
    return notAsked(state, asked, { outcome: { kind: "circuit_open" }, error: "" });
  }
  if (!takeSlot(state, merchantId)) {
    state.breaker.settle(permit, "not_sent");
    return notAsked(state, asked, { outcome: { kind: "busy" }, error: "" });
  }
  const running = await begin(state, asked);
  if (!running.ok) {
    state.breaker.settle(permit, "not_sent");
    freeSlot(state, merchantId);
    return notAsked(state, asked, { outcome: { kind: "unreachable" }, error: running.reason });
  }
  const answer = answerOf(state, permit, running.value);
  const recorded = recordWhenOver(state, asked, { answer, over: running.value.over });
  state.recording.add(recorded);
  void recorded.finally(() => state.recording.delete(recorded));
  return answer;
}

async function answerOf(state: State, permit: Permit, { outcome }: RunningExchange): Promise<QuestionAnswer> {
  const answer = verdictOf(await outcome);
  state.breaker.settle(permit, healthOf(answer.outcome));
  return answer;
}

async function begin(state: State, { question, askedAtMs }: Asked): Promise<Result<RunningExchange, string>> {
  const { deps } = state;
  const { merchantId } = question;
  try {
    const target = await deps.target(merchantId);
    if (target === null) {
      return refused("no_callback_url");
    }
    // In the next turn of the event loop everything that has reached this machine by now is known, the end of an idle connection
    // above all. Written in this turn, the question could go into a connection that the merchant has closed, and be lost.
    await nextTurn();
    const connection = deps.connections.to({ merchantId, target });
    if (!connection.ok) {
      return connection;
    }
    deps.connections.keepWarm(merchantId);
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
    const { consumeNo } = question;
    deps.log.error({ merchantId, consumeNo, error: nameOf(error) }, "a merchant could not be asked");
    return refused("not_askable");
  }
}

function notAsked(state: State, asked: Asked, why: Pick<QuestionAnswer, "outcome" | "error">): QuestionAnswer {
  const answer = withoutAsking(why);
  writeDown(state, asked, { answer, last: answer, late: false });
  return answer;
}

/** The slot is held until the connection is free again, so that a hanging merchant cannot pile up connections. */
async function recordWhenOver(
  state: State,
  asked: Asked,
  { answer, over }: { readonly answer: Promise<QuestionAnswer>; readonly over: Promise<Exchange> },
): Promise<void> {
  const exchange = await over;
  freeSlot(state, asked.question.merchantId);
  const verdict = await answer;
  const late = verdict.outcome.kind === "timeout" && exchange.end === "answered";
  writeDown(state, asked, { answer: verdict, last: late ? verdictOf(exchange) : verdict, late });
}

/** The verdict is what the purchase went by; times, status and code are the last known, so a late answer shows beside `timeout`. */
function writeDown(
  state: State,
  { question, askedAtMs }: Asked,
  { answer, last, late }: { readonly answer: QuestionAnswer; readonly last: QuestionAnswer; readonly late: boolean },
): void {
  state.records.write({
    merchantId: question.merchantId,
    consumeNo: question.consumeNo,
    askedAtMs,
    timings: last.timings,
    httpStatus: last.httpStatus,
    answerCode: last.answerCode,
    verdict: answer.outcome.kind,
    late,
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
