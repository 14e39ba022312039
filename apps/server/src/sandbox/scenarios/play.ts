import { setTimeout as sleep } from "node:timers/promises";
import { act, expectedAnswer, keepParts, type Scene } from "./actions.ts";
import {
  compareAnswer,
  compareBalances,
  compareCallback,
  compareStatement,
  type Differences,
  describeCallback,
} from "./compare.ts";
import { inExpectedOrder } from "./expected-order.ts";
import { createNumbers } from "./numbers.ts";
import { actionOf, type ExpectedCallback, movesClock, type Scenario, type Step } from "./schema.ts";
import { type Office, openStage, SceneFailed, type StageMerchant } from "./stage.ts";
import type { Wire, WireAnswer, WireCallback, WireRequest, Witness } from "./wire.ts";

export interface PlayOptions {
  readonly scenario: Scenario;
  readonly merchant: StageMerchant;
  readonly wire: Wire;
  readonly adminToken: string;
  /** Absent where operators other than `admin` cannot act. */
  readonly office?: Office;
  readonly witness: Witness;
  /** At most 24 characters of a network reference; unique in the merchant's life. */
  readonly runId: string;
  readonly restart?: () => Promise<void>;
  readonly tell?: (told: Told) => void | Promise<void>;
  /** Ends the play between two steps. */
  readonly signal?: AbortSignal;
}

/** What happens while a scenario is played, for those who read along. */
export type Told =
  | { readonly kind: "step"; readonly number: number; readonly of: number; readonly step: Step }
  | { readonly kind: "call"; readonly request: WireRequest; readonly answer: WireAnswer }
  | { readonly kind: "callback"; readonly text: string; readonly callback: WireCallback }
  | { readonly kind: "step_done" };

export interface Played {
  readonly ok: boolean;
  readonly ms: number;
  /** Where it differed from the script: `step 3 (clear): callback 1: amount: expected 90.00, got 100.00`. */
  readonly differences: Differences;
}

const callbackLooksMax = 400;
const lookMs = 25;
/** A round of the background work that looks at time is due every 500 ms: two of them have seen a moved clock. */
const quietAfterClockMs = 1_100;
/** A push that should not be follows the one that should within a few milliseconds. */
const quietMs = 150;
const balanceLooksMax = 80;
const answerLooksMax = 100;
const answerLookMs = 100;

/** Plays one scenario from its setting to its statement; what goes wrong on the way is a difference, never an exception. */
export async function playScenario(options: PlayOptions): Promise<Played> {
  const startedAt = performance.now();
  const differences = await playAll(options).catch((error: unknown) => {
    if (error instanceof SceneFailed) return [error.message];
    throw error;
  });
  return { ok: differences.length === 0, ms: Math.round(performance.now() - startedAt), differences };
}

/** A scene with how many of its callbacks were looked at. */
interface Running extends Scene {
  seen: number;
}

async function playAll(options: PlayOptions): Promise<Differences> {
  const { scenario, witness, tell } = options;
  const stage = await openStage({
    ...options,
    onCall: (request, answer) => void tell?.({ kind: "call", request, answer }),
  });
  const scene: Running = {
    stage,
    witness,
    numbers: createNumbers(),
    runId: options.runId,
    sent: new Map(),
    cardNos: [],
    kept: new Map(),
    seen: 0,
    ...(options.restart !== undefined && { restart: options.restart }),
  };
  if (scenario.start.card) await openFirstCard(scene);
  const steps = scenario.steps.filter(({ only }) => only === undefined || only === stage.merchant.mode);
  for (const [place, step] of steps.entries()) {
    if (options.signal?.aborted === true) return ["ended before its last step: it took too long"];
    await tell?.({ kind: "step", number: place + 1, of: steps.length, step });
    const differences = await playStep(options, scene, step);
    await tell?.({ kind: "step_done" });
    if (differences.length > 0) {
      const where = `step ${scenario.steps.indexOf(step) + 1} (${actionOf(step)})`;
      return differences.map((difference) => `${where}: ${difference}`);
    }
  }
  return checkEnd(options, scene);
}

/** What is told until the card can be used belongs to the setting, not to the script. */
async function openFirstCard(scene: Running): Promise<void> {
  const cardNo = await scene.stage.applyForCard();
  scene.cardNos.push(cardNo);
  scene.numbers.is("card", cardNo);
  for (let looks = 0; looks < callbackLooksMax; looks += 1) {
    const told = await scene.witness.callbacks(scene.cardNos);
    const active = told.findIndex(({ data }) => data["after_status"] === "Activated");
    if (active >= 0) {
      scene.seen = active + 1;
      return;
    }
    await sleep(lookMs);
  }
  throw new SceneFailed("the card was not reported as Activated in time");
}

async function playStep(options: PlayOptions, scene: Running, step: Step): Promise<Differences> {
  const { mode } = scene.stage.merchant;
  const early = await unexpected(scene);
  if (early.length > 0) return early;
  const answered = await actAndCompare(scene, step);
  if (answered.length > 0) return answered;
  const expected = (step.callbacks ?? []).filter(
    ({ only, auth }) =>
      (only === undefined || only === mode) &&
      (auth === undefined || (mode === "authorization" && scene.witness.seesQuestions)),
  );
  const told = await awaitCallbacks(options, scene, expected.length);
  const differences = compareCallbacks(scene, { step, expected, told });
  if (differences.length > 0) return differences;
  if (expected.length === 0 && (step.advance !== undefined || step.restart !== undefined)) {
    await sleep(quietAfterClockMs);
  }
  return step.balances === undefined ? [] : awaitBalances(scene, step.balances);
}

/** What an operator reads may follow from work in the background, so it is looked at until it is right, for ten seconds. */
async function actAndCompare(scene: Running, step: Step): Promise<Differences> {
  for (let looks = 0; ; looks += 1) {
    const answer = await act(scene, step);
    if (answer === null) return [];
    const differences = compareAnswer(scene, { expected: await expectedAnswer(scene, step), answer });
    if (differences.length === 0) return keepParts(scene, step, answer);
    if (step.operate?.method !== "GET" || looks >= answerLooksMax) return differences;
    await sleep(answerLookMs);
  }
}

/** Callbacks that came since the last step was over: nothing was expected of them. */
async function unexpected(scene: Running): Promise<Differences> {
  const more = (await scene.witness.callbacks(scene.cardNos)).slice(scene.seen);
  return [
    ...more.map((callback) => `an unexpected callback: ${describeCallback(scene.numbers, callback)}`),
    ...scene.witness.faults(),
  ];
}

async function awaitCallbacks(options: PlayOptions, scene: Running, count: number): Promise<readonly WireCallback[]> {
  for (let looks = 0; ; looks += 1) {
    const told = (await scene.witness.callbacks(scene.cardNos)).slice(scene.seen, scene.seen + count);
    if (told.length === count || looks >= callbackLooksMax) {
      scene.seen += told.length;
      for (const callback of told) {
        await options.tell?.({ kind: "callback", text: describeCallback(scene.numbers, callback), callback });
      }
      return told;
    }
    await sleep(lookMs);
  }
}

function compareCallbacks(
  scene: Running,
  of: { readonly step: Step; readonly expected: readonly ExpectedCallback[]; readonly told: readonly WireCallback[] },
): Differences {
  const naming = { mode: scene.stage.merchant.mode, numbers: scene.numbers };
  const told = of.step.order === "any" ? inExpectedOrder(naming, of) : of.told;
  const missing = of.expected.slice(told.length);
  return [
    ...of.expected.slice(0, told.length).flatMap((expected, place) => {
      const got = told[place];
      const differences = got === undefined ? ["did not come"] : compareCallback(naming, expected, got);
      return differences.map((difference) => `callback ${place + 1}: ${difference}`);
    }),
    ...missing.map(
      (each, place) =>
        `callback ${told.length + place + 1} (${each.auth ?? each.consumption ?? each.card}) did not come`,
    ),
  ];
}

/** Balances follow the work in the background, so they are looked at until they are right or 2 s are over. */
async function awaitBalances(scene: Running, expected: NonNullable<Step["balances"]>): Promise<Differences> {
  for (let looks = 0; ; looks += 1) {
    const differences = compareBalances(scene.stage.merchant.mode, expected, await scene.stage.balances());
    if (differences.length === 0 || looks >= balanceLooksMax) return differences;
    await sleep(lookMs);
  }
}

/** Nothing more may come, the last balances still hold, and the statement is as told. */
async function checkEnd(options: PlayOptions, scene: Running): Promise<Differences> {
  const { scenario } = options;
  const { mode } = scene.stage.merchant;
  await sleep(movesClock(scenario) ? quietAfterClockMs : quietMs);
  const more = await unexpected(scene);
  const last = scenario.steps.findLast(({ balances, only }) => balances !== undefined && (only ?? mode) === mode);
  const moved = scenario.steps.slice(last === undefined ? 0 : scenario.steps.indexOf(last) + 1).length > 0;
  const balances =
    last?.balances === undefined || moved ? [] : compareBalances(mode, last.balances, await scene.stage.balances());
  const statement = compareStatement(
    { mode, numbers: scene.numbers },
    scenario.statement,
    await scene.stage.consumptions(),
  );
  return [
    ...more.map((difference) => `at the end: ${difference}`),
    ...balances.map((difference) => `at the end: ${difference}`),
    ...statement.map((difference) => `statement: ${difference}`),
  ];
}
