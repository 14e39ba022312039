import type { Pool } from "pg";
import { type BatchFailure, createBatcher, createLanes } from "#database/index.ts";
import type { Clock } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";
import type { AskMerchant } from "./ask.ts";
import { type AuthorizeDeps, authorize } from "./authorize.ts";
import { createFactsCache, type FactsDeps } from "./facts.ts";
import type { DecisionItem } from "./item.ts";
import { releaseLostQuestions } from "./release.ts";
import type { AuthorizationAnswer, AuthorizationRequest } from "./request.ts";
import {
  type ConclusionItem,
  type ConclusionRow,
  callConclude,
  callDecide,
  type DecisionRow,
  selectAvailable,
  selectConsumeNo,
} from "./store.ts";
import { warmUp } from "./warm-up.ts";

export type { AskMerchant, MerchantAnswer, MerchantQuestion } from "./ask.ts";
export { type Billed, billed } from "./billing.ts";
export type { CardKey, ProductTerms } from "./facts.ts";
export { holdMs } from "./hold-length.ts";
export { limitPeriods } from "./periods.ts";
export type { AuthorizationAnswer, AuthorizationRequest } from "./request.ts";

/** The room that asks merchants stands above this one: compose puts it in. */
export interface QuestionPort {
  readonly ask: AskMerchant;
  /**
   * Whether the merchant's last question was not properly answered. What is decided about its purchases lets that of others go first, so
   * that a server that hangs is noticed by its own cardholders alone.
   */
  readonly isFailing: (merchantId: number) => boolean;
}

export interface AuthorizationOptions
  extends QuestionPort,
    Pick<AuthorizeDeps, "identify" | "cvvIsRight" | "rateOf" | "onError"> {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly terms: FactsDeps["terms"];
  readonly onBatchFailure: (failure: BatchFailure) => void;
}

/** The decision engine: what the network's faces call. */
export interface Authorization {
  /** Decides one authorization; never throws. */
  authorize(request: AuthorizationRequest): Promise<AuthorizationAnswer>;
  /**
   * Opens the pool's connections and lets each plan the two statements, on nothing: a connection that does so for its first purchase takes
   * 30 ms longer. For a process that decides, before it listens.
   */
  warmUp(): Promise<void>;
  /** Ends questions whose process has died and gives their money back; answers how many. For the worker. */
  releaseLostQuestions(): Promise<number>;
  /** Finishes what is under way and refuses the rest. */
  stop(options: { readonly deadlineMs: number }): Promise<void>;
}

export function createAuthorization(options: AuthorizationOptions): Authorization {
  const { pool, clock, isFailing, onBatchFailure: onFailure } = options;
  const { batchMax, batchEven, queueMax, extraLaneItemsMin, patienceMs } = bounds;
  const bound = { batchMax, batchEven, queueMax, lanes: createLanes({ extraLaneItemsMin, patienceMs }), onFailure };
  const conclusions = createBatcher<ConclusionItem, ConclusionRow>({
    ...bound,
    name: "conclusions",
    run: (items) => callConclude(pool, { items, voidKind: "void", at: clock.now() }),
    keyOf: (item) => `${item.merchantId}/${item.cardNo}`,
    lineOf: (item) => item.merchantId,
    isPatient: (item) => isFailing(item.merchantId),
  });
  const decisions = createBatcher<DecisionItem, DecisionRow>({
    ...bound,
    name: "decisions",
    run: (items) => callDecide(pool, items),
    keyOf: ({ facts }) => `${facts.merchantId}/${facts.cardNo}`,
    lineOf: ({ facts }) => facts.merchantId,
    isPatient: ({ facts }) => isFailing(facts.merchantId),
  });
  const facts = createFactsCache({ sql: pool, terms: options.terms });
  const deps: AuthorizeDeps = {
    ...options,
    facts,
    decisions,
    conclusions,
    consumeNoOf: (key) => selectConsumeNo(pool, key),
    availableOf: (account) => selectAvailable(pool, account),
  };
  return {
    authorize: (request) => authorize(deps, request),
    warmUp: () => warmUp({ pool, clock }),
    releaseLostQuestions: () => releaseLostQuestions({ pool, clock }),
    stop: async (limit) => {
      await decisions.stop(limit);
      await conclusions.stop(limit);
    },
  };
}
