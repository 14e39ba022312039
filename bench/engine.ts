import type { Pool } from "pg";
import {
  type Authorization,
  type CardKey,
  createAuthorization,
  type QuestionPort,
} from "../apps/server/src/authorization/index.ts";
import { systemClock } from "../apps/server/src/kernel/index.ts";
import { createProducts } from "../apps/server/src/products/index.ts";
import type { ProgrammeCard } from "./programme.ts";

export interface Engine {
  readonly authorization: Authorization;
  /** What went wrong on our side, told once each; empty in a good run. */
  readonly errors: readonly string[];
}

/** Different errors that are kept; a broken run repeats one of them a million times. */
const errorsMax = 10;

const noQuestions: QuestionPort = {
  ask: async () => {
    throw new Error("this benchmark has no merchant to ask");
  },
  isFailing: () => false,
};

/**
 * The platform's decision engine on a pool, as `compose.ts` wires it. Which card a number belongs to comes from memory: the
 * vault's look-up has its own cost, and these benchmarks measure the decision.
 */
export function createEngine(options: {
  readonly pool: Pool;
  readonly cards: readonly ProgrammeCard[];
  readonly questionPort?: QuestionPort;
}): Engine {
  const { pool, cards } = options;
  const errors: string[] = [];
  const keep = (error: unknown): void => {
    const text = error instanceof Error ? error.message : String(error);
    if (!errors.includes(text) && errors.length < errorsMax) {
      errors.push(text);
    }
  };
  const products = createProducts({ pool, clock: systemClock });
  const authorization = createAuthorization({
    pool,
    clock: systemClock,
    identify: identifyFromMemory(cards),
    cvvIsRight: async () => true,
    terms: (product) => products.terms(product),
    rateOf: async () => null,
    ...(options.questionPort ?? noQuestions),
    onError: keep,
    onBatchFailure: ({ error }) => keep(error),
  });
  return { authorization, errors };
}

export function identifyFromMemory(cards: readonly ProgrammeCard[]): (pan: string) => Promise<CardKey | null> {
  const byPan = new Map(cards.map(({ pan, merchantId, cardNo }) => [pan, { merchantId, cardNo }]));
  return async (pan) => byPan.get(pan) ?? null;
}
