import { setTimeout as sleep } from "node:timers/promises";
import type { AuthorizationAnswer } from "../apps/server/src/authorization/index.ts";
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
/** Of the time: how long the neighbour is alone, and how long it is beside merchants that answer. */
const beforeShare = 0.13;
const healthyMerchant = 1;
/**
 * A merchant that fails 10 times in a row is not asked for a while (its circuit opens), so each hanging merchant gets 8 of the
 * questions. All of them are one server.
 */
const questionsOfMerchant = 8;
const hangingMerchants = questions / questionsOfMerchant;
const isHanging = (merchantId: number): boolean =>
  merchantId > healthyMerchant && merchantId <= healthyMerchant + hangingMerchants;
/**
 * As many merchants that answer make as many purchases a second before: what the neighbour notices of them is what any load costs on this
 * machine, and what it notices of the hanging ones beyond that is what hanging costs.
 */
const answeringRate = inFlight / (earliestMs / 1000);
const merchants = 1 + 2 * hangingMerchants;
const cardsOfMerchant = 4;
const diskBytesMin = 2e9;

export const deadline: Benchmark = {
  name: "deadline",
  summary: "10,000 questions to a merchant that never answers: when each is decided, and what its neighbour notices",
  seconds: 70,
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
      const { callbacks, ask } = createQuestions(questionPool, (merchantId) =>
        isHanging(merchantId) ? hanging.url : healthy.url,
      );
      stack.defer(() => callbacks.stop());
      const stand = await openStand({ url, ask });
      stack.defer(() => stand.close());
      return [await measure(stand, options)];
    } finally {
      await stack.disposeAsync();
    }
  },
};

async function measure(stand: Stand, { seconds, signal, progress }: BenchOptions): Promise<BenchResult> {
  const byMerchant = Map.groupBy(stand.cards, ({ merchantId }) => merchantId);
  const healthy = buyerWith(stand, { cards: byMerchant.get(healthyMerchant) ?? [], reference: "healthy" });
  const latencies: number[] = [];
  const reasons = new Map<string, number>();
  const askHanging = async (question: number): Promise<void> => {
    const merchantId = healthyMerchant + 1 + Math.floor(question / questionsOfMerchant);
    const buy = buyerWith(stand, { cards: byMerchant.get(merchantId) ?? [], reference: `hanging-${question}` });
    const startedMs = performance.now();
    const answer = await buy();
    latencies.push(performance.now() - startedMs);
    const reason = answer.approved ? "approved" : answer.reason;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  };
  const buyHealthy = approvedBy(healthy);
  const answering = stand.cards.filter(({ merchantId }) => merchantId !== healthyMerchant && !isHanging(merchantId));
  const buyAnswering = approvedBy(buyerWith(stand, { cards: answering, reference: "answering" }));
  const beforeSeconds = seconds * beforeShare;
  progress.say("deadline: warming up");
  const warmUpSeconds = Math.min(2, beforeSeconds);
  await closedLoop({ inFlight: 8, seconds: warmUpSeconds, once: buyHealthy, signal });
  await closedLoop({ inFlight: 8, seconds: warmUpSeconds, once: buyAnswering, signal });
  progress.say("deadline: the healthy merchant alone");
  const alone = await openLoop({ rate: neighbourRate, seconds: beforeSeconds, seed: 31 }, { once: buyHealthy, signal });
  progress.say(`deadline: the healthy merchant beside ${answeringRate}/s of merchants that answer`);
  const [besideAnswering, others] = await Promise.all([
    openLoop({ rate: neighbourRate, seconds: beforeSeconds, seed: 33 }, { once: buyHealthy, signal }),
    openLoop({ rate: answeringRate, seconds: beforeSeconds, seed: 34 }, { once: buyAnswering, signal }),
  ]);
  const hangingSeconds = seconds - 3 * beforeSeconds;
  const count = Math.min(questions, Math.floor((hangingSeconds / (earliestMs / 1000)) * inFlight));
  progress.say(`deadline: ${count} questions to a merchant that hangs`);
  const beside = openLoop(
    { rate: neighbourRate, seconds: hangingSeconds * 0.9, seed: 32 },
    { once: buyHealthy, signal },
  );
  await askAll(count, {
    once: askHanging,
    signal,
    onProgress: (done) => progress.say(`deadline: ${done} of ${count} decided`),
  });
  return resultOf(stand, {
    count,
    latencies,
    reasons,
    alone: alone.latencies,
    besideAnswering: besideAnswering.latencies,
    beside: await beside,
    failuresBefore: [alone, besideAnswering, others].flatMap(({ failures }) => failures),
  });
}

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
    readonly once: (question: number) => Promise<void>;
    readonly signal: AbortSignal;
    readonly onProgress: (done: number) => void;
  },
): Promise<void> {
  let begun = 0;
  let done = 0;
  const caller = async (_: unknown, index: number): Promise<void> => {
    await sleep((index * earliestMs) / inFlight);
    while (begun < count && !options.signal.aborted) {
      begun += 1;
      await options.once(begun - 1);
      done += 1;
      options.onProgress(done);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
}

async function resultOf(
  stand: Stand,
  run: {
    readonly count: number;
    readonly latencies: readonly number[];
    readonly reasons: ReadonlyMap<string, number>;
    readonly alone: readonly number[];
    readonly besideAnswering: readonly number[];
    readonly failuresBefore: readonly string[];
    readonly beside: { readonly latencies: readonly number[]; readonly failures: readonly string[] };
  },
): Promise<BenchResult> {
  const ledger = await checkLedger(stand);
  const times = sorted(run.latencies);
  const [least, most] = [percentile(times, 0), percentile(times, 1)];
  const timedOut = run.reasons.get("merchant_timeout") ?? 0;
  const inTime = run.latencies.filter((ms) => ms >= earliestMs && ms <= latestMs).length;
  const [alone, beside] = [latenciesOf(run.alone), latenciesOf(run.beside.latencies)];
  const besideAnswering = latenciesOf(run.besideAnswering);
  const neighbour = rounded(beside.p99_ms / alone.p99_ms);
  const failures = [...run.failuresBefore, ...run.beside.failures, ...stand.engine.errors];
  const allDecided = run.latencies.length === run.count && timedOut === run.count && inTime === run.count;
  return {
    bench: "deadline",
    ok: allDecided && neighbour <= neighbourBar && ledger.ok && failures.length === 0,
    value: rounded(most),
    baseline: earliestMs,
    ratio: rounded(most / earliestMs),
    bar: latestMs,
    unit: "ms, the latest decision",
    p50_ms: latenciesOf(run.latencies).p50_ms,
    p99_ms: latenciesOf(run.latencies).p99_ms,
    details: {
      questions: run.count,
      decided: run.latencies.length,
      in_time: inTime,
      earliest_ms: rounded(least),
      outcomes: Object.fromEntries(run.reasons),
      neighbour_p99_alone_ms: alone.p99_ms,
      neighbour_p99_beside_answering_ms: besideAnswering.p99_ms,
      neighbour_p99_beside_ms: beside.p99_ms,
      neighbour_ratio: neighbour,
      neighbour_bar: neighbourBar,
      ledger: { ...ledger },
      failures,
    },
  };
}
