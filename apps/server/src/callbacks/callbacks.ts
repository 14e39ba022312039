import { performance } from "node:perf_hooks";
import { inTransaction } from "#database/index.ts";
import { type Clock, type ScheduledWork, systemClock } from "#kernel/index.ts";
import { type CallbackBacklog, selectBacklog } from "./backlog-store.ts";
import { createConnections } from "./connections.ts";
import { createDelivery, type Delivery } from "./delivery.ts";
import { createDueWork } from "./due-work.ts";
import { createEndpointHealth } from "./endpoint-health.ts";
import { type CallbackEndpoints, createEndpoints } from "./endpoints.ts";
import { createEventLog, type MerchantEvents } from "./events.ts";
import { type CallbackHistory, createHistory } from "./history.ts";
import { callbackLimits } from "./limits.ts";
import { createPartitions, type Partitions } from "./partitions.ts";
import type { CallbackDeps } from "./ports.ts";
import { type QuestionPage, type QuestionRow, selectQuestions } from "./question-store.ts";
import { createQuestions, type Question, type Questions } from "./questions.ts";
import { createTargetCache } from "./target-cache.ts";
import type { QuestionAnswer } from "./verdict.ts";

/** The room: the question that a purchase waits for, and the pushes that nobody waits for. */
export interface Callbacks {
  /** `Auth` (contract section 6): the merchant's answer within 800 ms of real time. Never rejects. */
  askMerchant(question: Question): Promise<QuestionAnswer>;
  readonly questions: Pick<Questions, "load" | "isFailing">;
  /** What became of questions, newest first; each is there a moment after its connection is free again. */
  listQuestions(page: QuestionPage): Promise<QuestionRow[]>;
  readonly delivery: Delivery;
  /** The delivery as work that is due at certain moments, for who moves the clock. */
  readonly dueWork: ScheduledWork;
  readonly history: CallbackHistory;
  /** The history's tables, for the worker. */
  readonly partitions: Pick<Partitions, "keep">;
  readonly endpoints: CallbackEndpoints;
  readonly events: MerchantEvents;
  /** What callbacks to this merchant go by was changed, by any process: in this one it is in force from now on. */
  targetChanged(merchantId: number): void;
  /** Any merchant's may have been. */
  targetsMayHaveChanged(): void;
  /** For metrics: what is to be delivered, whatever process does it. Counts up to 10,000 in each place. */
  backlog(): Promise<CallbackBacklog>;
  /** Call when no more questions are asked: ends the delivery, writes what is unwritten, closes the connections. */
  stop(): Promise<void>;
}

export interface CallbackOptions extends Omit<CallbackDeps, "transportClock"> {
  /** The machine's clock when absent. */
  readonly transportClock?: Clock;
  /** `Math.random` when absent. */
  readonly random?: () => number;
  /** The card that a test push is about; none when absent. */
  readonly newestCardOf?: (merchantId: number) => Promise<string | null>;
  /** Questions in a row without a proper answer that open a merchant's circuit; 10 when absent. */
  readonly questionFailuresMax?: number;
}

export function createCallbacks(options: CallbackOptions): Callbacks {
  const { allowPrivateAddresses } = options;
  const connections = createConnections({ allowPrivateAddresses });
  const monotonicNow = (): number => performance.now();
  const targets = createTargetCache({ read: options.target, monotonicNow });
  const deps = {
    ...options,
    transportClock: options.transportClock ?? systemClock,
    target: targets.of,
    connections,
  };
  const events = createEventLog(deps);
  const questions = createQuestions({
    ...deps,
    onBreaker: (change) => {
      events.circuitChanged(change, "questions");
      options.onBreaker?.(change);
    },
  });
  const partitions = createPartitions(deps);
  const health = createEndpointHealth({ ...deps, onPaused: (merchantId) => delivery.handBack(merchantId) });
  const delivery = createDelivery({
    ...deps,
    random: options.random ?? Math.random,
    partitions,
    health,
    onBreaker: (change) => events.circuitChanged(change, "deliveries"),
  });
  const history = createHistory({ ...deps, partitions, wake: () => delivery.wake() });
  const endpoints = createEndpoints({
    ...deps,
    newestCardOf: options.newestCardOf ?? (async () => null),
    onPaused: (merchantId) => delivery.handBack(merchantId),
    onResumed: (merchantId) => delivery.letGo(merchantId),
  });
  return {
    askMerchant: (question) => questions.ask(question),
    questions,
    listQuestions: (page) => selectQuestions(options.pool, page),
    delivery,
    dueWork: createDueWork({ ...deps, delivery }),
    history,
    partitions,
    endpoints,
    events,
    targetChanged: (merchantId) => {
      targets.forget(merchantId);
      questions.targetChanged(merchantId);
      delivery.targetChanged(merchantId);
    },
    targetsMayHaveChanged: () => targets.forgetAll(),
    backlog: () =>
      inTransaction(
        options.pool,
        (sql) => selectBacklog(sql, { nowMs: options.clock.now(), countMax: callbackLimits.openCountMax }),
        { planned: "by_index" },
      ),
    stop: async () => {
      await delivery.stop();
      await health.stop();
      await questions.stop();
      await events.stop();
      await connections.close();
    },
  };
}
