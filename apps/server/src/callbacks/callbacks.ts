import { performance } from "node:perf_hooks";
import { type Clock, type ScheduledWork, systemClock } from "#kernel/index.ts";
import { createConnections } from "./connections.ts";
import { createDelivery, type Delivery } from "./delivery.ts";
import { createDueWork } from "./due-work.ts";
import { createEventLog, type MerchantEvents } from "./events.ts";
import { type CallbackHistory, createHistory } from "./history.ts";
import type { CallbackDeps } from "./ports.ts";
import { createQuestions, type Question, type Questions } from "./questions.ts";
import { createTargetCache } from "./target-cache.ts";
import type { QuestionAnswer } from "./verdict.ts";

/** The room: the question that a purchase waits for, and the pushes that nobody waits for. */
export interface Callbacks {
  /** `Auth` (contract section 6): the merchant's answer within 800 ms of real time. Never rejects. */
  askMerchant(question: Question): Promise<QuestionAnswer>;
  readonly questions: Pick<Questions, "load">;
  readonly delivery: Delivery;
  /** The delivery as work that is due at certain moments, for who moves the clock. */
  readonly dueWork: ScheduledWork;
  readonly history: CallbackHistory;
  readonly events: MerchantEvents;
  /** Call when no more questions are asked: ends the delivery, writes what is unwritten, closes the connections. */
  stop(): Promise<void>;
}

export interface CallbackOptions extends Omit<CallbackDeps, "transportClock"> {
  /** The machine's clock when absent. */
  readonly transportClock?: Clock;
  /** `Math.random` when absent. */
  readonly random?: () => number;
}

export function createCallbacks(options: CallbackOptions): Callbacks {
  const { allowPrivateAddresses } = options;
  const connections = createConnections({ allowPrivateAddresses });
  const monotonicNow = (): number => performance.now();
  const deps = {
    ...options,
    transportClock: options.transportClock ?? systemClock,
    target: createTargetCache({ read: options.target, monotonicNow }),
    connections,
  };
  const events = createEventLog(deps);
  const questions = createQuestions({
    ...deps,
    onBreaker: (change) => {
      events.circuitChanged(change);
      options.onBreaker?.(change);
    },
  });
  const delivery = createDelivery({ ...deps, random: options.random ?? Math.random });
  const history = createHistory({ ...deps, wake: () => delivery.wake() });
  return {
    askMerchant: (question) => questions.ask(question),
    questions,
    delivery,
    dueWork: createDueWork({ ...deps, delivery }),
    history,
    events,
    stop: async () => {
      await delivery.stop();
      await questions.stop();
      await events.stop();
      await connections.close();
    },
  };
}
