import { performance } from "node:perf_hooks";
import { uuid7 } from "#kernel/index.ts";
import { type Asking, notSent, startAsking } from "./asking.ts";
import { type BackgroundWriter, createBackgroundWriter } from "./background-writer.ts";
import { type Breaker, type BreakerChange, createBreaker, type Permit } from "./breaker.ts";
import type { Connections } from "./connections.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackDeps, nameOf } from "./ports.ts";
import { insertQuestions, type QuestionRow } from "./question-store.ts";
import { createThreadAsker, type ThreadAsker } from "./thread-asker.ts";
import { healthOf, type QuestionAnswer, withoutAsking } from "./verdict.ts";

export interface Question {
  readonly merchantId: number;
  readonly consumeNo: string;
  /** The JSON text of the `data` of an `Auth` callback (contract section 6). */
  readonly dataText: string;
}

export interface Questions {
  /**
   * Asks the merchant whether it approves a purchase (`Auth`, contract section 6). Settles within 800 ms of real time after
   * the merchant's address and secret are known (30 ms more should the thread for failing merchants stand still); never rejects.
   */
  ask(question: Question): Promise<QuestionAnswer>;
  /** Whether the merchant's last question was not properly answered; before the purchase of that question learns of it. */
  isFailing(merchantId: number): boolean;
  /** The merchant's server is another one now: an open circuit need not wait any longer. */
  targetChanged(merchantId: number): void;
  /** For metrics; `inThread`: of those in flight, the ones that are asked from the thread for failing merchants. */
  load(): { readonly inFlight: number; readonly inThread: number };
  /** Writes down what is not written yet and ends the thread; the caller asks no more questions. */
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
  readonly threadAsker: ThreadAsker;
  readonly inFlightOf: Map<number, number>;
  inFlight: number;
  /** Asked and not yet written down. */
  readonly recording: Set<Promise<void>>;
}

interface Asked {
  readonly question: Question;
  readonly askedAtMs: number;
}

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
    threadAsker: createThreadAsker(deps),
    inFlightOf: new Map(),
    inFlight: 0,
    recording: new Set(),
  };
  return {
    ask: (question) => ask(state, question),
    isFailing: (merchantId) => state.breaker.isFailing(merchantId),
    targetChanged: (merchantId) => state.breaker.probeNow(merchantId),
    load: () => ({ inFlight: state.inFlight, inThread: state.threadAsker.load() }),
    stop: async () => {
      // Each ends at the deadline, plus the time for late answers or for a connection that is still being made.
      await Promise.all(state.recording);
      await state.records.stop();
      await state.threadAsker.close();
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
  const asking = await begin(state, asked);
  const answer = answerOf(state, permit, asking);
  const recorded = recordWhenOver(state, asked, { answer, over: asking.over });
  state.recording.add(recorded);
  void recorded.finally(() => state.recording.delete(recorded));
  return answer;
}

/** A merchant whose last question failed is asked from the thread for such merchants, as soon as there is one. */
async function begin(state: State, { question, askedAtMs }: Asked): Promise<Asking> {
  const { deps, threadAsker, breaker } = state;
  const { merchantId, consumeNo, dataText } = question;
  try {
    const target = await deps.target(merchantId);
    if (target === null) {
      return notSent("no_callback_url");
    }
    const timestampMs = deps.transportClock.now();
    const order = { merchantId, target, pushId: uuid7(askedAtMs), dataText, timestampMs };
    const inThread = breaker.isFailing(merchantId) && threadAsker.isReady();
    return inThread ? threadAsker.ask(order) : await startAsking(deps.connections, order);
  } catch (error) {
    // A purchase waits for this: whatever is wrong here fails it, instead of leaving its hold open.
    deps.log.error({ merchantId, consumeNo, error: nameOf(error) }, "a merchant could not be asked");
    return notSent("not_askable");
  }
}

async function answerOf(state: State, permit: Permit, asking: Asking): Promise<QuestionAnswer> {
  const given = await asking.answer;
  state.breaker.settle(permit, given.ok ? healthOf(given.value.outcome) : "not_sent");
  return given.ok ? given.value : withoutAsking({ outcome: { kind: "unreachable" }, error: given.reason });
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
  { answer, over }: { readonly answer: Promise<QuestionAnswer>; readonly over: Asking["over"] },
): Promise<void> {
  const { last, late } = await over;
  freeSlot(state, asked.question.merchantId);
  const verdict = await answer;
  writeDown(state, asked, { answer: verdict, last: last ?? verdict, late });
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
