import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ok, type Result, refused } from "#kernel/index.ts";
import { type Asking, type AskingEnd, type AskOrder, nothingMore } from "./asking.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackLog, nameOf } from "./ports.ts";
import type { AskReport, NumberedOrder, ThreadOptions } from "./thread-messages.ts";
import { type QuestionAnswer, withoutAsking } from "./verdict.ts";

/** Asks from a thread of its own (asking-thread.ts), so that what a failing merchant's server does holds up no decision. */
export interface ThreadAsker {
  /** Whether it can be asked from now. Starts the thread where there is none, which takes longer than a question may wait. */
  isReady(): boolean;
  ask(order: AskOrder): Asking;
  /** Questions that are open. */
  load(): number;
  /** Closes the connections and ends the thread; the caller asks no more, and no question is open. */
  close(): Promise<void>;
}

export interface ThreadAskerOptions extends ThreadOptions {
  readonly log: CallbackLog;
  /** asking-thread.ts when absent. */
  readonly threadFile?: URL;
}

interface Open {
  readonly answer: PromiseWithResolvers<Result<QuestionAnswer, string>>;
  readonly over: PromiseWithResolvers<AskingEnd>;
  /** Ends the wait should the thread stand still. */
  readonly guard: NodeJS.Timeout;
  isAnswered: boolean;
}

interface State {
  readonly options: ThreadAskerOptions;
  thread: Worker | null;
  isReady: boolean;
  isClosing: boolean;
  /** Of a clock that never goes back: before it no other thread is started. */
  notBeforeMs: number;
  readonly open: Map<number, Open>;
  readonly outgoing: NumberedOrder[];
  nextNumber: number;
}

const noWord: QuestionAnswer = withoutAsking({ outcome: { kind: "timeout" }, error: "" });

export function createThreadAsker(options: ThreadAskerOptions): ThreadAsker {
  const state: State = {
    options,
    thread: null,
    isReady: false,
    isClosing: false,
    notBeforeMs: Number.NEGATIVE_INFINITY,
    open: new Map(),
    outgoing: [],
    nextNumber: 1,
  };
  return {
    isReady: () => {
      if (state.thread === null && !state.isClosing && performance.now() >= state.notBeforeMs) {
        state.thread = startThread(state);
      }
      return state.isReady;
    },
    ask: (order) => ask(state, order),
    load: () => state.open.size,
    close: () => close(state),
  };
}

function ask(state: State, order: AskOrder): Asking {
  const number = state.nextNumber;
  state.nextNumber += 1;
  const open: Open = {
    answer: Promise.withResolvers(),
    over: Promise.withResolvers(),
    guard: setTimeout(() => answer(open, ok(noWord)), callbackLimits.questionDeadlineMs + callbackLimits.threadGraceMs),
    isAnswered: false,
  };
  state.open.set(number, open);
  state.outgoing.push({ number, order });
  if (state.outgoing.length === 1) {
    // Those of one turn go in one message.
    queueMicrotask(() => send(state));
  }
  return { answer: open.answer.promise, over: open.over.promise };
}

function send({ thread, outgoing }: State): void {
  // A process does not end while a question is open.
  thread?.ref();
  thread?.postMessage(outgoing.splice(0), []);
}

function startThread(state: State): Worker {
  const { allowPrivateAddresses, log, threadFile } = state.options;
  const workerData: ThreadOptions = { allowPrivateAddresses };
  const thread = new Worker(threadFile ?? new URL("./asking-thread.ts", import.meta.url), {
    workerData,
    name: "questions",
    resourceLimits: { maxOldGenerationSizeMb: callbackLimits.threadHeapMbMax },
  });
  thread.unref();
  thread.on("message", (reports: readonly AskReport[]) => {
    state.isReady = true;
    for (const report of reports) {
      onReport(state, report);
    }
    if (state.open.size === 0) {
      thread.unref();
    }
  });
  thread.on("error", (error) =>
    log.error({ error: nameOf(error) }, "the thread that asks failing merchants has failed"),
  );
  thread.on("exit", () => onExit(state));
  return thread;
}

function onReport(state: State, { number, answer: given, end, bug }: AskReport): void {
  if (bug !== undefined) {
    state.options.log.error({ error: bug }, "a merchant could not be asked");
  }
  const open = state.open.get(number);
  if (open === undefined) {
    return;
  }
  const isTooLate = open.isAnswered && given !== null;
  if (given !== null) {
    answer(open, given);
  }
  if (end !== null) {
    state.open.delete(number);
    open.over.resolve(isTooLate ? lateEnd(given) : end);
  }
}

/** In time for the thread, but here the purchase had been given up. */
function lateEnd(given: Result<QuestionAnswer, string>): AskingEnd {
  return given.ok && given.value.timings.doneMs !== null ? { last: given.value, late: true } : nothingMore;
}

function answer(open: Open, given: Result<QuestionAnswer, string>): void {
  clearTimeout(open.guard);
  open.isAnswered = true;
  open.answer.resolve(given);
}

/** What was open may have reached the merchant and is lost all the same: a purchase that waits for it is told so at once. */
function onExit(state: State): void {
  state.thread = null;
  state.isReady = false;
  state.notBeforeMs = performance.now() + callbackLimits.threadPauseMs;
  state.outgoing.length = 0;
  for (const open of state.open.values()) {
    answer(open, refused("asker_lost"));
    open.over.resolve(nothingMore);
  }
  state.open.clear();
}

async function close(state: State): Promise<void> {
  state.isClosing = true;
  const { thread } = state;
  if (thread === null) {
    return;
  }
  // Not `once` of node:events, which rejects when the thread ends by an error.
  const ended = new Promise((resolve) => thread.once("exit", resolve));
  thread.ref();
  thread.postMessage(null, []);
  await Promise.race([ended, sleep(callbackLimits.stopMs, undefined, { ref: false })]);
  await thread.terminate();
}
