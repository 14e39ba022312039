import { setTimeout as sleep } from "node:timers/promises";
import type { AskMerchant, AuthorizationAnswer } from "../apps/server/src/authorization/index.ts";
import type { Callbacks } from "../apps/server/src/callbacks/index.ts";
import type { Benchmark, BenchOptions, BenchResult } from "./benchmark.ts";
import { checkLedger } from "./ledger-check.ts";
import { openLoop } from "./open-loop.ts";
import { openPlatformPool, startBenchServer } from "./postgres.ts";
import { startMerchantProcess } from "./processes.ts";
import type { ProgrammeCard } from "./programme.ts";
import { purchaseSource } from "./purchases.ts";
import { createQuestions } from "./questions.ts";
import { closedLoop } from "./slices.ts";
import { buildDatabase, openStand, type Stand } from "./stand.ts";
import { latenciesOf, percentile, rounded, sorted } from "./statistics.ts";

const questions = 10_000;
const inFlight = 200;
/** Every decision on a hanging merchant, milliseconds. */
const earliestMs = 800;
const latestMs = 850;
/** The healthy merchant's p99 beside the hanging one to its p99 alone. */
const neighbourBar = 1.5;
/** The healthy merchant's purchases per second. */
const neighbourRate = 100;
/** Of the time: how long the neighbour is alone, and how long it is beside the merchant that answers. Of fewer purchases a p99 says little. */
const besideOthersShare = 0.2;
/**
 * Of the time: questions that run out before any is measured. V8 compiles that way too when it has been gone some thousand times, and a platform is in
 * its first seconds once.
 */
const warmUpShare = 0.05;
const healthyMerchant = 1;
/** Its circuit would open after 10 questions: here it never does, because it is the questions that are measured. */
const hangingMerchant = 2;
/**
 * Makes as many purchases a second as the hanging one, in the turn before: what the neighbour notices of it is what any load costs on this
 * machine, and what it notices of the hanging one beyond that is what hanging costs.
 */
const answeringMerchant = 3;
const answeringRate = inFlight / (earliestMs / 1000);
const merchants = 3;
const cardsOfMerchant = 3_333;
/** The neighbour alone, beside the merchant that answers and beside the one that hangs take turns so often. */
const rounds = 4;
/** Questions that nobody waits for any more are still listened to for a second: the next turn begins after that. */
const settleMs = 1_200;
const diskBytesMin = 2e9;

export const deadline: Benchmark = {
  name: "deadline",
  summary: "10,000 questions to a merchant that never answers: when each is decided, and what its neighbour notices",
  seconds: 90,
  run: async (options) => {
    const stack = new AsyncDisposableStack();
    try {
      const server = await startBenchServer({ place: options.place, bytesMin: diskBytesMin });
      stack.defer(() => server.stop());
      const cards = merchants * cardsOfMerchant;
      const size = { merchants, cards, consumptions: cards };
      const url = await buildDatabase(server, {
        name: "deadline",
        mode: "AUTHORIZATION",
        ...size,
        onStep: options.progress.say,
        measuredSeconds: options.seconds,
      });
      const hanging = await startMerchantProcess("hangs");
      stack.defer(() => hanging.stop());
      const healthy = await startMerchantProcess("approves");
      stack.defer(() => healthy.stop());
      const questionPool = openPlatformPool(url, 2);
      stack.defer(() => questionPool.end());
      const { callbacks, ask: askMerchant } = createQuestions(questionPool, {
        urlOf: (merchantId) => (merchantId === hangingMerchant ? hanging.url : healthy.url),
        questionFailuresMax: Number.POSITIVE_INFINITY,
      });
      stack.defer(() => callbacks.stop());
      const load: Load = { hangsByTimer: false };
      const ask: AskMerchant = (question) =>
        load.hangsByTimer && question.merchantId === hangingMerchant ? noAnswer() : askMerchant(question);
      const stand = await openStand({ url, ask });
      stack.defer(() => stand.close());
      const result = await measure(stand, options);
      return [options.profile ? withParts(result, await measureParts({ stand, callbacks, load }, options)) : result];
    } finally {
      await stack.disposeAsync();
    }
  },
};

interface Load {
  /** The hanging merchant is not asked: that it says nothing is known after 800 ms. */
  hangsByTimer: boolean;
}

const noAnswer = async (): ReturnType<AskMerchant> => {
  await sleep(earliestMs);
  return { kind: "timeout" };
};

/** What the neighbour's purchases took in one turn. */
interface Neighbour {
  readonly latencies: readonly number[];
  readonly failures: readonly string[];
}

async function measure(stand: Stand, { seconds, signal, progress }: BenchOptions): Promise<BenchResult> {
  const byMerchant = Map.groupBy(stand.cards, ({ merchantId }) => merchantId);
  const buyerOf = (merchantId: number, reference: string) =>
    buyerWith(stand, { cards: byMerchant.get(merchantId) ?? [], reference });
  const buyHealthy = approvedBy(buyerOf(healthyMerchant, "healthy"));
  const buyAnswering = approvedBy(buyerOf(answeringMerchant, "answering"));
  const buyHanging = buyerOf(hangingMerchant, "hanging");
  const decided: { ms: number; reason: string }[] = [];
  const askHanging = async (): Promise<void> => {
    const startedMs = performance.now();
    const answer = await buyHanging();
    decided.push({ ms: performance.now() - startedMs, reason: answer.approved ? "approved" : answer.reason });
  };
  const turnSeconds = (seconds * besideOthersShare) / rounds;
  const hangingSeconds = seconds / rounds - 2 * turnSeconds - 2 * (earliestMs / 1000) - settleMs / 1000;
  const countOfRound = Math.max(
    inFlight,
    Math.min(questions / rounds, Math.floor((hangingSeconds / (earliestMs / 1000)) * inFlight)),
  );
  progress.say("deadline: warming up");
  await closedLoop({ inFlight: 8, seconds: turnSeconds, once: buyHealthy, signal });
  await closedLoop({ inFlight: 8, seconds: turnSeconds, once: buyAnswering, signal });
  const warmUpQuestions = Math.ceil(((seconds * warmUpShare) / (earliestMs / 1000)) * inFlight);
  await askAll(warmUpQuestions, { once: buyHanging, signal, onProgress: () => {} });
  await sleep(settleMs);
  const turns = { alone: [] as Neighbour[], answering: [] as Neighbour[], hanging: [] as Neighbour[] };
  const failures: string[] = [];
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    const say = (what: string): void => progress.say(`deadline: round ${round + 1} of ${rounds}: ${what}`);
    const neighbourFor = (length: number): Promise<Neighbour> =>
      openLoop({ rate: neighbourRate, seconds: length, seed: 31 + round }, { once: buyHealthy, signal });
    say("the healthy merchant alone");
    turns.alone.push(await neighbourFor(turnSeconds));
    say(`the healthy merchant beside ${answeringRate}/s of one that answers`);
    const [beside, others] = await Promise.all([
      neighbourFor(turnSeconds),
      openLoop({ rate: answeringRate, seconds: turnSeconds, seed: 41 + round }, { once: buyAnswering, signal }),
    ]);
    turns.answering.push(beside);
    failures.push(...others.failures);
    const besideHanging = neighbourFor((countOfRound / inFlight) * (earliestMs / 1000));
    const before = decided.length;
    await askAll(countOfRound, {
      once: askHanging,
      signal,
      onProgress: () => say(`${decided.length - before} of ${countOfRound} questions to one that hangs`),
    });
    turns.hanging.push(await besideHanging);
    await sleep(settleMs);
  }
  return resultOf(stand, { count: countOfRound * rounds, decided, turns, failures });
}

type Part = "alone" | "hanging" | "hanging, statements only" | "hanging, questions only";

/**
 * With `--profile`, after the measurement: what of the hanging costs the neighbour. Purchases that hang, the same with their two statements but no
 * HTTP, and their questions without any purchase take turns. Answers its p99 beside each, milliseconds.
 */
async function measureParts(
  { stand, callbacks, load }: { readonly stand: Stand; readonly callbacks: Callbacks; readonly load: Load },
  { seconds, signal, progress }: BenchOptions,
): Promise<Readonly<Record<Part, number>>> {
  const byMerchant = Map.groupBy(stand.cards, ({ merchantId }) => merchantId);
  const cardsOf = (merchantId: number) => byMerchant.get(merchantId) ?? [];
  const buyHealthy = approvedBy(buyerWith(stand, { cards: cardsOf(healthyMerchant), reference: "parts-healthy" }));
  const buyHanging = buyerWith(stand, { cards: cardsOf(hangingMerchant), reference: "parts-hanging" });
  const turnSeconds = Math.max(1, seconds / 8);
  const besideFor = (once: () => Promise<unknown>) => () =>
    askAll(Math.ceil((turnSeconds / (earliestMs / 1000)) * inFlight), { once, signal, onProgress: () => {} });
  const loads: Record<Part, () => Promise<void>> = {
    alone: async () => {},
    hanging: besideFor(buyHanging),
    "hanging, statements only": besideFor(buyHanging),
    "hanging, questions only": besideFor(questionsOnly(callbacks)),
  };
  const latencies = new Map<string, number[]>();
  for (let round = 0; round < rounds && !signal.aborted; round += 1) {
    for (const [part, beside] of Object.entries(loads)) {
      progress.say(`deadline: parts, round ${round + 1} of ${rounds}: ${part}`);
      load.hangsByTimer = part === "hanging, statements only";
      const plan = { rate: neighbourRate, seconds: turnSeconds, seed: 51 + round };
      const [turn] = await Promise.all([openLoop(plan, { once: buyHealthy, signal }), beside()]);
      if (turn.failures.length > 0) {
        throw new Error(`the neighbour beside "${part}": ${turn.failures.join("; ")}`);
      }
      latencies.set(part, [...(latencies.get(part) ?? []), ...turn.latencies]);
      await sleep(settleMs);
    }
  }
  const p99Of = (part: Part): number => latenciesOf(latencies.get(part) ?? []).p99_ms;
  return {
    alone: p99Of("alone"),
    hanging: p99Of("hanging"),
    "hanging, statements only": p99Of("hanging, statements only"),
    "hanging, questions only": p99Of("hanging, questions only"),
  };
}

/** Questions as a purchase asks them, about none. */
function questionsOnly(callbacks: Callbacks): () => Promise<unknown> {
  let asked = 0;
  return () => {
    asked += 1;
    const consumeNo = `parts-${asked}`;
    const shop = { country: "SG", merchant_mcc: "5411", city: "Singapore", merchant_name: "Corner Shop" };
    const data = { consume_no: consumeNo, type: "Consumption", amount: 25.81, merchant_info: shop, time: Date.now() };
    return callbacks.askMerchant({ merchantId: hangingMerchant, consumeNo, dataText: JSON.stringify(data) });
  };
}

const withParts = (result: BenchResult, parts: Readonly<Record<Part, number>>): BenchResult => ({
  ...result,
  details: { ...result.details, neighbour_p99_by_part_ms: parts },
});

/** A purchase of a merchant that answers: anything but an approval is a failure of the benchmark. */
function approvedBy(buy: () => Promise<AuthorizationAnswer>): () => Promise<void> {
  return async () => {
    const answer = await buy();
    if (!answer.approved) {
      throw new Error(`a purchase was declined although its merchant approves: ${answer.reason}`);
    }
  };
}

function buyerWith(
  stand: Stand,
  { cards, reference }: { readonly cards: readonly ProgrammeCard[]; readonly reference: string },
): () => Promise<AuthorizationAnswer> {
  const next = purchaseSource(cards, { seed: 21, reference });
  return async () => {
    const answer = await stand.engine.authorization.authorize(next());
    stand.approved += answer.approved ? 1 : 0;
    return answer;
  };
}

/**
 * So many questions in all, a bounded number at once. The callers begin one after the other over the first 800 ms, as purchases do: begun in
 * one instant, all of them would be decided, wait and end together.
 */
async function askAll(
  count: number,
  options: {
    readonly once: () => Promise<unknown>;
    readonly signal: AbortSignal;
    readonly onProgress: () => void;
  },
): Promise<void> {
  let begun = 0;
  const caller = async (_: unknown, index: number): Promise<void> => {
    await sleep((index * earliestMs) / inFlight);
    while (begun < count && !options.signal.aborted) {
      begun += 1;
      await options.once();
      options.onProgress();
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
}

async function resultOf(
  stand: Stand,
  run: {
    readonly count: number;
    readonly decided: readonly { readonly ms: number; readonly reason: string }[];
    readonly turns: Readonly<Record<"alone" | "answering" | "hanging", readonly Neighbour[]>>;
    readonly failures: readonly string[];
  },
): Promise<BenchResult> {
  const ledger = await checkLedger(stand);
  const latencies = run.decided.map(({ ms }) => ms);
  const times = sorted(latencies);
  const [least, most] = [percentile(times, 0), percentile(times, 1)];
  const outcomes = Object.fromEntries(
    [...Map.groupBy(run.decided, ({ reason }) => reason)].map(([reason, all]) => [reason, all.length]),
  );
  const inTime = latencies.filter((ms) => ms >= earliestMs && ms <= latestMs).length;
  const p99Of = (turns: readonly Neighbour[]): number => latenciesOf(turns.flatMap((turn) => turn.latencies)).p99_ms;
  const [alone, answering, beside] = [p99Of(run.turns.alone), p99Of(run.turns.answering), p99Of(run.turns.hanging)];
  const neighbour = rounded(beside / alone);
  const neighbours = Object.values(run.turns).flat();
  const failures = [...run.failures, ...neighbours.flatMap((turn) => turn.failures), ...stand.engine.errors];
  const allDecided = latencies.length === run.count && outcomes.merchant_timeout === run.count && inTime === run.count;
  return {
    bench: "deadline",
    ok: allDecided && neighbour <= neighbourBar && ledger.ok && failures.length === 0,
    value: rounded(most),
    baseline: earliestMs,
    ratio: rounded(most / earliestMs),
    bar: latestMs,
    unit: "ms, the latest decision",
    p50_ms: latenciesOf(latencies).p50_ms,
    p99_ms: latenciesOf(latencies).p99_ms,
    details: {
      questions: run.count,
      decided: latencies.length,
      in_time: inTime,
      earliest_ms: rounded(least),
      outcomes,
      neighbour_p99_alone_ms: alone,
      neighbour_p99_beside_answering_ms: answering,
      neighbour_p99_beside_ms: beside,
      neighbour_ratio: neighbour,
      neighbour_bar: neighbourBar,
      ledger: { ...ledger },
      failures,
    },
  };
}
