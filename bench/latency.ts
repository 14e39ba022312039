import type { Pool } from "pg";
import type { Benchmark, BenchOptions, BenchResult } from "./benchmark.ts";
import { checkLedger } from "./ledger-check.ts";
import { type OpenLoopRun, openLoop } from "./open-loop.ts";
import { startBenchServer } from "./postgres.ts";
import { closedLoop } from "./slices.ts";
import { buildDatabase, openStand, type Stand } from "./stand.ts";
import { latenciesOf, percentile, rounded, sorted } from "./statistics.ts";

const rates = [500, 2_000, 5_000] as const;
const judgedRate = 2_000;
/** p99 at 2,000/s, milliseconds, with the data in memory. */
const bar = 15;
const merchants = 20;
const cardsDefault = 10_000;
/** Ten seconds of 5,000/s write half a gigabyte of data and log. */
const memoryBytesMin = 4e9;
/** Of each rate's time, for the baseline. */
const baselineShare = 0.2;
/** Of each rate's time: V8 compiles the code anew for batches of another size, which takes a core for seconds. */
const warmUpShare = 0.25;

export const latency: Benchmark = {
  name: "latency",
  summary: "how long a decision takes at 500, 2,000 and 5,000/s, open loop, data on tmpfs; beside it: SELECT 1",
  seconds: 60,
  run: async (options) => {
    const server = await startBenchServer({ place: "tmpfs", bytesMin: memoryBytesMin });
    try {
      const cards = options.rows === null ? cardsDefault : Math.ceil(options.rows / 10);
      const size = { merchants, cards, consumptions: cards * 10 };
      const stand = await openStand({
        url: await buildDatabase(server, {
          name: "latency",
          ...size,
          onStep: options.progress.say,
          measuredSeconds: options.seconds,
        }),
      });
      try {
        return [await measure(stand, server.place, options)];
      } finally {
        await stand.close();
      }
    } finally {
      await server.stop();
    }
  },
};

interface AtRate {
  readonly rate: number;
  readonly ours: OpenLoopRun;
  readonly selectOne: OpenLoopRun;
}

async function measure(stand: Stand, place: "disk" | "tmpfs", options: BenchOptions): Promise<BenchResult> {
  const { signal, progress } = options;
  progress.say("latency: warming up");
  // Every card once or more, so that no fact is read for the first time while it counts.
  const warmUpSeconds = Math.min(5, options.seconds / 6);
  await closedLoop({ inFlight: 256, seconds: warmUpSeconds, signal, once: async () => void (await stand.decide()) });
  const seconds = (options.seconds - warmUpSeconds) / rates.length;
  const measured: AtRate[] = [];
  for (const rate of rates) {
    progress.say(`latency: ${rate}/s`);
    const selectOne = await openLoop(
      { rate, seconds: seconds * baselineShare, seed: 3 },
      { once: () => roundTrip(stand.pool), signal },
    );
    const decide = { once: () => stand.decide(), signal };
    const warmUp = await openLoop({ rate, seconds: seconds * warmUpShare, seed: 5 }, decide);
    const run = await openLoop({ rate, seconds: seconds * (1 - baselineShare - warmUpShare), seed: rate }, decide);
    const ours = { ...run, failures: [...warmUp.failures, ...run.failures] };
    measured.push({ rate, ours, selectOne });
    progress.say(`latency: ${rate}/s has p99 ${latenciesOf(ours.latencies).p99_ms} ms`);
  }
  return resultOf(stand, { measured, place });
}

async function roundTrip(pool: Pool): Promise<void> {
  await pool.query({ name: "bench_select_one", text: "SELECT 1", values: [] });
}

async function resultOf(
  stand: Stand,
  { measured, place }: { readonly measured: readonly AtRate[]; readonly place: "disk" | "tmpfs" },
): Promise<BenchResult> {
  const ledger = await checkLedger(stand);
  const judged = measured.find(({ rate }) => rate === judgedRate);
  const ours = latenciesOf(judged?.ours.latencies ?? []);
  const selectOne = latenciesOf(judged?.selectOne.latencies ?? []);
  const failures = measured.flatMap((at) => [...at.ours.failures, ...at.selectOne.failures]);
  return {
    bench: "latency",
    ok: ours.p99_ms <= bar && ledger.ok && failures.length === 0,
    value: ours.p99_ms,
    baseline: selectOne.p99_ms,
    ratio: rounded(ours.p99_ms / selectOne.p99_ms),
    bar,
    unit: `ms p99 at ${judgedRate}/s`,
    p50_ms: ours.p50_ms,
    p99_ms: ours.p99_ms,
    details: {
      data_on: place,
      rates: measured.map((at) => ({
        rate: at.rate,
        answered: at.ours.latencies.length,
        ...latenciesOf(at.ours.latencies),
        load_late_p99_ms: rounded(percentile(sorted(at.ours.lateness), 0.99)),
        select_1: { ...latenciesOf(at.selectOne.latencies) },
      })),
      ledger: { ...ledger },
      failures,
    },
  };
}
