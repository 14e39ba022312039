import type { MerchantMode } from "@cardwright/contract";
import type { Pool } from "pg";
import type { AuthorizationRequest, QuestionPort } from "../apps/server/src/authorization/index.ts";
import { createEngine, type Engine } from "./engine.ts";
import { type BenchServer, openPlatformPool } from "./postgres.ts";
import { buildProgramme, type OnStep, type ProgrammeCard, programmeCards } from "./programme.ts";
import { purchaseSource } from "./purchases.ts";

/** Cards that a benchmark buys with at most; evenly spread over all there are. */
const cardsBoughtWithMax = 50_000;
/** The programme's last purchase is cleared an hour after it was made, so it lies two hours back. */
const historyEndsBeforeMs = 7_200_000;

export interface ProgrammeSize {
  readonly merchants: number;
  readonly cards: number;
  readonly consumptions: number;
}

/** A database with a programme in it, the platform's engine on it, and somebody who buys. */
export interface Stand {
  readonly url: string;
  readonly pool: Pool;
  readonly cards: readonly ProgrammeCard[];
  readonly engine: Engine;
  /** Decides one purchase; throws when it is not approved. Answers its latency in milliseconds. */
  decide(): Promise<number>;
  /** Answers "approved" that were given, by whomever: what the ledger must show in the end. */
  approved: number;
  close(): Promise<void>;
}

export interface StandOptions {
  readonly url: string;
  readonly questionPort?: QuestionPort;
  /** Seeds the choice of cards and amounts. */
  readonly seed?: number;
}

export interface DatabasePlan extends ProgrammeSize {
  readonly name: string;
  readonly mode?: MerchantMode;
  readonly onStep: OnStep;
  /** How long will be measured on it; absent where the server is started anew before. */
  readonly measuredSeconds?: number;
}

/** Migrates a new database and fills it; answers its URL. */
export async function buildDatabase(server: BenchServer, options: DatabasePlan): Promise<string> {
  const { name, merchants, cards, consumptions, mode = "CREDIT_EXTENSION" } = options;
  const url = await server.createDatabase(name);
  const plan = { mode, merchants, cards, consumptions, endsAt: Date.now() - historyEndsBeforeMs };
  await buildProgramme(url, plan, (step) => options.onStep(`building ${name}: ${step}`));
  if (options.measuredSeconds !== undefined) {
    options.onStep(`building ${name}: the files of the log`);
    await server.prepareLog({ measuredSeconds: options.measuredSeconds });
  }
  return url;
}

export async function openStand(options: StandOptions): Promise<Stand> {
  const pool = openPlatformPool(options.url);
  const cards = await programmeCards(options.url, cardsBoughtWithMax);
  const engine = createEngine({
    pool,
    cards,
    ...(options.questionPort === undefined ? {} : { questionPort: options.questionPort }),
  });
  await engine.authorization.warmUp();
  const next = purchaseSource(cards, { seed: options.seed ?? 1, reference: "bench" });
  const stand: Stand = {
    url: options.url,
    pool,
    cards,
    engine,
    decide: () => decide(stand, next),
    approved: 0,
    close: async () => {
      await engine.authorization.stop({ deadlineMs: 5_000 });
      await pool.end();
    },
  };
  return stand;
}

async function decide(stand: Stand, next: () => AuthorizationRequest): Promise<number> {
  const startedMs = performance.now();
  const answer = await stand.engine.authorization.authorize(next());
  if (!answer.approved) {
    throw new Error(`a purchase was declined: ${[answer.reason, ...stand.engine.errors].join("; ")}`);
  }
  stand.approved += 1;
  return performance.now() - startedMs;
}
