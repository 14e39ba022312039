import { setTimeout as sleep } from "node:timers/promises";
import type { QuestionPort } from "../apps/server/src/authorization/index.ts";
import type { Callbacks } from "../apps/server/src/callbacks/index.ts";
import type { Benchmark, BenchOptions, BenchResult } from "./benchmark.ts";
import {
  approvedBy,
  askAll,
  buyersOf,
  earliestMs,
  inFlight,
  neighbourRate,
  rounds,
  settleMs,
} from "./deadline-load.ts";
import { measureParts, type Question, type Switches, timeUp } from "./deadline-parts.ts";
import { checkLedger } from "./ledger-check.ts";
import { openLoop } from "./open-loop.ts";
import { openPlatformPool, startBenchServer } from "./postgres.ts";
import { startMerchantProcess } from "./processes.ts";
import { createQuestions } from "./questions.ts";
import { closedLoop } from "./slices.ts";
import { buildDatabase, openStand, type Stand } from "./stand.ts";
import { latenciesOf, percentile, rounded, sorted } from "./statistics.ts";

const questions = 10_000;
/** Every decision on a hanging merchant, milliseconds: not before its time is up, and not later than this. */
const latestMs = 850;
/** The healthy merchant's p99 beside the hanging one to its p99 alone. */
const neighbourBar = 1.5;
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
      const { callbacks, questionPort: real } = createQuestions(questionPool, {
        urlOf: (merchantId) => (merchantId === hangingMerchant ? hanging.url : healthy.url),
        questionFailuresMax: Number.POSITIVE_INFINITY,
      });
      stack.defer(() => callbacks.stop());
      const switches: Switches = { hangsByTimer: false };
      const byTimer = (merchantId: number): boolean => switches.hangsByTimer && merchantId === hangingMerchant;
      const questionPort: QuestionPort = {
        ask: (question) => (byTimer(question.merchantId) ? timeUp() : real.ask(question)),
        isFailing: (merchantId) => byTimer(merchantId) || real.isFailing(merchantId),
      };
      const stand = await openStand({ url, questionPort });
      stack.defer(() => stand.close());
      return [await measure({ stand, callbacks, switches }, options)];
    } finally {
      await stack.disposeAsync();
    }
  },
};

/** What the neighbour's purchases took in one turn. */
interface Neighbour {
  readonly latencies: readonly number[];
  readonly failures: readonly string[];
}

async function measure(
  { stand, callbacks, switches }: { readonly stand: Stand; readonly callbacks: Callbacks; readonly switches: Switches },
  options: BenchOptions,
): Promise<BenchResult> {
  const { seconds, signal, progress } = options;
  const buyer = buyersOf(stand);
  const buyHealthy = approvedBy(buyer(healthyMerchant, "healthy"));
  const buyAnswering = approvedBy(buyer(answeringMerchant, "answering"));
  const buyHanging = buyer(hangingMerchant, "hanging");
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
  const ask = (question: Question) => callbacks.askMerchant({ ...question, merchantId: hangingMerchant });
  const parts = options.profile ? await measureParts({ buyHealthy, buyHanging, ask, switches }, options) : null;
  return resultOf(stand, { count: countOfRound * rounds, decided, turns, failures, parts });
}

async function resultOf(
  stand: Stand,
  run: {
    readonly count: number;
    readonly decided: readonly { readonly ms: number; readonly reason: string }[];
    readonly turns: Readonly<Record<"alone" | "answering" | "hanging", readonly Neighbour[]>>;
    readonly failures: readonly string[];
    readonly parts: Readonly<Record<string, number>> | null;
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
      ...(run.parts !== null && { neighbour_p99_by_part_ms: run.parts }),
      ledger: { ...ledger },
      failures,
    },
  };
}
