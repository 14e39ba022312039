import { randomBytes } from "node:crypto";
import type { Pool } from "pg";
import { ok, type Result, refused, systemClock } from "#kernel/index.ts";
import { playScenario } from "./play.ts";
import { endRun, insertRun, type ScenarioRun, selectRun, updateRunStep } from "./run-store.ts";
import { loadScenarios } from "./scenario-files.ts";
import { type FreshMerchantNeed, freshMerchantNeedsOf, type Scenario, type ScenarioMode } from "./schema.ts";
import type { Wire, WireAnswer, WireCallback, WireRequest, Witness } from "./wire.ts";

/** What a scenario needs to be played on a merchant that is there. */
export interface ScenarioStage {
  /** A call as it comes from outside, from this address. */
  readonly call: (request: WireRequest, from: string) => Promise<WireAnswer>;
  readonly adminToken: string;
  readonly merchant: (merchantId: number) => Promise<{ readonly merchantNo: string; readonly mode: ScenarioMode }>;
  /** The pushes that were queued about a card, oldest first. */
  readonly pushesOf: (card: { readonly merchantId: number; readonly cardNo: string }) => Promise<readonly QueuedPush[]>;
}

export interface QueuedPush {
  /** Sorts in the order of queueing, across cards as well. */
  readonly callbackId: string;
  readonly callback: WireCallback;
}

export interface RunsDeps extends ScenarioStage {
  readonly pool: Pool;
  readonly onError: (error: unknown) => void;
}

export interface RunCaller {
  readonly merchantId: number;
  readonly apiKey: string;
  readonly address: string;
}

export type StartRefusal =
  | "scenario_unknown"
  | "scenario_of_other_mode"
  /** What it does that it may do to no merchant with a life of its own. */
  | FreshMerchantNeed
  | "scenario_under_way"
  | "too_many_scenarios";

/** Scenarios that merchants play on themselves. */
export interface ScenarioRuns {
  /** Those of the merchant's mode. */
  list(merchantId: number): Promise<readonly Scenario[]>;
  start(name: string, caller: RunCaller): Promise<Result<ScenarioRun, StartRefusal>>;
  find(key: { readonly merchantId: number; readonly runId: string }): Promise<ScenarioRun | null>;
  /** Ends those under way between two steps. */
  stop(): Promise<void>;
}

/** The longest scenario takes half a minute on a slow machine. */
const runMsMax = 300_000;
/** Of all merchants in one process: each holds a few calls and looks at its callbacks 40 times a second. */
const runsMax = 4;

export function createScenarioRuns(deps: RunsDeps): ScenarioRuns {
  let scenarios: Promise<readonly Scenario[]> | null = null;
  const all = (): Promise<readonly Scenario[]> => (scenarios ??= loadScenarios());
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();
  return {
    list: async (merchantId) => {
      const { mode } = await deps.merchant(merchantId);
      return (await all()).filter(({ modes }) => modes.includes(mode));
    },
    start: async (name, caller) => {
      const scenario = (await all()).find((each) => each.name === name);
      if (scenario === undefined) return refused("scenario_unknown");
      const merchant = await deps.merchant(caller.merchantId);
      if (!scenario.modes.includes(merchant.mode)) return refused("scenario_of_other_mode");
      const [need] = freshMerchantNeedsOf(scenario);
      if (need !== undefined) return refused(need);
      if (running.size >= runsMax) return refused("too_many_scenarios");
      const steps = scenario.steps.filter(({ only }) => only === undefined || only === merchant.mode).length;
      const run: ScenarioRun = {
        merchantId: caller.merchantId,
        runId: `run-${randomBytes(8).toString("hex")}`,
        name,
        state: "running",
        step: 0,
        steps,
        differences: [],
        startedAt: systemClock.now(),
        endedAt: null,
      };
      if (!(await insertRun(deps.pool, run, { runMsMax }))) return refused("scenario_under_way");
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(runMsMax)]);
      const work = play(deps, { run, scenario, merchant, caller, signal }).finally(() => running.delete(work));
      running.add(work);
      return ok(run);
    },
    find: (key) => selectRun(deps.pool, key),
    stop: async () => {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

async function play(
  deps: RunsDeps,
  part: {
    readonly run: ScenarioRun;
    readonly scenario: Scenario;
    readonly merchant: { readonly merchantNo: string; readonly mode: ScenarioMode };
    readonly caller: RunCaller;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { run, scenario, merchant, caller, signal } = part;
  const wire: Wire = (request) => deps.call(request, caller.address);
  let step = 0;
  try {
    const played = await playScenario({
      scenario,
      merchant: { ...merchant, apiKey: caller.apiKey },
      wire,
      adminToken: deps.adminToken,
      runId: run.runId,
      signal,
      tell: async ({ kind }) => {
        if (kind === "step_done") await updateRunStep(deps.pool, { ...run, step: (step += 1) });
      },
      witness: witnessOf(deps, caller),
    });
    const { differences } = played;
    await endRun(deps.pool, {
      ...run,
      state: played.ok ? "passed" : "failed",
      differences,
      endedAt: systemClock.now(),
    });
  } catch (error) {
    deps.onError(error);
    const differences = ["something failed on our side"];
    await endRun(deps.pool, { ...run, state: "failed", differences, endedAt: systemClock.now() }).catch(deps.onError);
  }
}

/**
 * Sees the pushes as they are queued. Those of several cards are put into one order, that of queueing; one that was seen keeps its
 * place, also when a push of another card that was queued before it is committed after it.
 */
function witnessOf({ pushesOf }: RunsDeps, { merchantId }: RunCaller): Witness {
  const seen = new Map<string, WireCallback>();
  return {
    callbacks: async (cardNos) => {
      const queued = (await Promise.all(cardNos.map((cardNo) => pushesOf({ merchantId, cardNo })))).flat();
      const more = queued.filter(({ callbackId }) => !seen.has(callbackId));
      more.sort((a, b) => (a.callbackId < b.callbackId ? -1 : 1));
      for (const { callbackId, callback } of more) seen.set(callbackId, callback);
      return [...seen.values()];
    },
    // Auth goes to the merchant's own server, which answers as it likes.
    seesQuestions: false,
    answerWith: () => undefined,
    takePushes: () => undefined,
    faults: () => [],
  };
}
