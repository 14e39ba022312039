import type { Benchmark, BenchOptions, BenchResult } from "./benchmark.ts";
import { createCpuMeter, type CpuMeter } from "./cpu.ts";
import { checkLedger } from "./ledger-check.ts";
import { installBaseline, type OneByOne, openOneByOne } from "./one-by-one.ts";
import { bestOneByOne, oneByOnePoolSizes } from "./one-by-one-calibration.ts";
import { type BenchServer, startBenchServer } from "./postgres.ts";
import { printProfile } from "./profile.ts";
import { closedLoop, interleave, medianRate, type Slice } from "./slices.ts";
import { buildDatabase, openStand, type Stand } from "./stand.ts";
import { latenciesOf, rounded } from "./statistics.ts";

const merchants = 20;
const cardsDefault = 10_000;
/** Two batches of 256 under way keep both lanes busy; twice as many in flight only wait longer. */
const inFlight = 512;
const bar = 2.5;
/** A hot reserve may cost a fifth of the rate. */
const hotBar = 0.8;
const sliceSecondsMax = 1;
/** Of the time, for warming up and for finding the baseline's best form; the rest is measured. */
const calibrationShare = 0.3;
const diskBytesMin = 4e9;

export const decision: Benchmark = {
  name: "decision",
  summary: "credit-mode decisions per second, durable, against one call each; --hot: all on one reserve against 20",
  seconds: 40,
  run: async (options) => {
    const server = await startBenchServer({ place: "disk", bytesMin: diskBytesMin });
    try {
      return [options.hot ? await againstSpread(server, options) : await againstOneByOne(server, options)];
    } finally {
      await server.stop();
    }
  },
};

interface Times {
  /** One trial of the baseline; ours warms up as long. */
  readonly trial: number;
  readonly slice: number;
  readonly rounds: number;
}

/** Seconds. */
function timesOf(seconds: number, trials: number): Times {
  const trial = Math.min(sliceSecondsMax, (seconds * calibrationShare) / (trials + 1));
  const left = seconds - trial * (trials + 1);
  const slice = Math.min(sliceSecondsMax, left / 4);
  return { trial, slice, rounds: Math.max(2, Math.floor(left / (slice * 2))) };
}

async function openProgramme(
  server: BenchServer,
  { name, merchants, options }: { readonly name: string; readonly merchants: number; readonly options: BenchOptions },
): Promise<Stand> {
  const cards = Math.max(merchants, options.rows === null ? cardsDefault : Math.ceil(options.rows / 10));
  const size = { merchants, cards, consumptions: cards * 10 };
  const url = await buildDatabase(server, { name, ...size, onStep: options.progress.say });
  return openStand({ url });
}

/** Ours and the latencies that its callers saw. */
function decisions(stand: Stand, options: { readonly meter: CpuMeter; readonly signal: AbortSignal }) {
  const latencies: number[] = [];
  return {
    latencies,
    run: async (seconds: number): Promise<Slice> =>
      options.meter.during(() =>
        closedLoop({
          inFlight,
          seconds,
          signal: options.signal,
          once: async () => void latencies.push(await stand.decide()),
        }),
      ),
  };
}

async function againstOneByOne(server: BenchServer, options: BenchOptions): Promise<BenchResult> {
  const stand = await openProgramme(server, { name: "spread", merchants, options });
  try {
    await installBaseline(stand.url);
    return await measureAgainstOneByOne(server, stand, options);
  } finally {
    await stand.close();
  }
}

async function measureAgainstOneByOne(server: BenchServer, stand: Stand, options: BenchOptions): Promise<BenchResult> {
  const { signal, progress } = options;
  const times = timesOf(options.seconds, oneByOnePoolSizes.length * 2);
  const warmUp = decisions(stand, { meter: createCpuMeter(await server.postmasterPid()), signal });
  progress.say("decision: warming up");
  await warmUp.run(times.trial);
  const trials = await bestOneByOne(stand, { seconds: times.trial, options });
  const [best] = trials;
  if (best === undefined) {
    throw new Error("stopped before anything was measured");
  }
  const ours = decisions(stand, { meter: createCpuMeter(await server.postmasterPid()), signal });
  const alone = openOneByOne(stand, best);
  const aloneMeter = createCpuMeter(await server.postmasterPid());
  try {
    const measured = await interleave({
      rounds: times.rounds,
      ours: () => ours.run(times.slice),
      baseline: () => aloneMeter.during(() => alone.run({ seconds: times.slice, signal })),
      signal,
      onRound: (so) => progress.say(`decision: ${perSecond(so.ours)}, one by one ${perSecond(so.baseline)}`),
    });
    await profileWhenAsked(stand, options);
    progress.say("decision: verifying the ledger");
    const ledger = await checkLedger(stand.pool, stand.approved);
    const [value, baseline] = [medianRate(measured.ours), medianRate(measured.baseline)];
    const { p50_ms, p99_ms, max_ms } = latenciesOf(ours.latencies);
    return {
      bench: "decision",
      ok: value / baseline >= bar && ledger.ok && stand.engine.errors.length === 0,
      value: Math.round(value),
      baseline: Math.round(baseline),
      ratio: rounded(value / baseline),
      bar,
      unit: "decisions/s",
      p50_ms,
      p99_ms,
      details: {
        max_ms,
        in_flight: inFlight,
        rounds: measured.ours.length,
        data_on: server.place,
        baseline_form: `${best.kind}, ${best.poolSize} connections`,
        calibration: trials.map(({ kind, poolSize, rate }) => ({ kind, poolSize, rate: Math.round(rate) })),
        cpu_us_per_decision: ours.cost(),
        baseline_cpu_us_per_decision: aloneMeter.perItem(),
        ledger: { ...ledger },
        errors: stand.engine.errors,
      },
    };
  } finally {
    await alone.close();
  }
}
