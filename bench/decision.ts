import type { Benchmark, BenchOptions, BenchResult } from "./benchmark.ts";
import { createCpuMeter } from "./cpu.ts";
import { checkLedger } from "./ledger-check.ts";
import { installBaseline, type OneByOneTrial, oneByOneTrials, openOneByOne, tryOneByOne } from "./one-by-one.ts";
import { type BenchServer, startBenchServer } from "./postgres.ts";
import { cpuProfile, timeStatements } from "./profile.ts";
import { closedLoop, interleave, medianRate, type Slice } from "./slices.ts";
import { buildDatabase, openStand, type Stand } from "./stand.ts";
import { latenciesOf, rounded } from "./statistics.ts";

const merchants = 20;
const cardsDefault = 10_000;
/** Both lanes stay full: each takes half of what waits. More in flight would only wait longer. */
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
    const server = await startBenchServer({ place: options.place, bytesMin: diskBytesMin });
    try {
      return [options.hot ? await runHot(server, options) : await runSpread(server, options)];
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
  const url = await buildDatabase(server, {
    name,
    ...size,
    onStep: options.progress.say,
    measuredSeconds: options.seconds,
  });
  return openStand({ url });
}

/** A load on one stand, with the latencies that its callers see and the processor time it takes. */
async function loadOn(server: BenchServer, stand: Stand, signal: AbortSignal) {
  const latencies: number[] = [];
  const meter = createCpuMeter(await server.postmasterPid());
  const once = async (): Promise<void> => void latencies.push(await stand.decide());
  return {
    latencies,
    cpu: () => meter.perItem(),
    run: async (seconds: number): Promise<Slice> => meter.during(() => closedLoop({ inFlight, seconds, signal, once })),
  };
}

async function warmUp(stand: Stand, seconds: number, { signal, progress }: BenchOptions): Promise<void> {
  progress.say("decision: warming up");
  await closedLoop({ inFlight, seconds, signal, once: async () => void (await stand.decide()) });
}

async function runSpread(server: BenchServer, options: BenchOptions): Promise<BenchResult> {
  const stand = await openProgramme(server, { name: "spread", merchants, options });
  try {
    await installBaseline(stand.url);
    const { signal, progress } = options;
    const times = timesOf(options.seconds, oneByOneTrials);
    await warmUp(stand, times.trial, options);
    const trials = await tryOneByOne(stand, {
      seconds: times.trial,
      signal,
      onTrial: ({ kind, poolSize }) => progress.say(`decision: baseline, ${kind}, ${poolSize} connections`),
    });
    return await againstOneByOne(server, { stand, times, trials, options });
  } finally {
    await stand.close();
  }
}

interface Prepared {
  readonly stand: Stand;
  readonly times: Times;
  readonly trials: readonly OneByOneTrial[];
  readonly options: BenchOptions;
}

async function againstOneByOne(server: BenchServer, prepared: Prepared): Promise<BenchResult> {
  const { stand, times, trials, options } = prepared;
  const { signal, progress } = options;
  const [best] = trials;
  if (best === undefined) {
    throw new Error("stopped before anything was measured");
  }
  const ours = await loadOn(server, stand, signal);
  const alone = openOneByOne(stand, best);
  const aloneCpu = createCpuMeter(await server.postmasterPid());
  try {
    const measured = await interleave({
      rounds: times.rounds,
      ours: () => ours.run(times.slice),
      baseline: () => aloneCpu.during(() => alone.run({ seconds: times.slice, signal })),
      signal,
      onRound: (so) => progress.say(`decision: ${perSecond(so.ours)}, one by one ${perSecond(so.baseline)}`),
    });
    const details = {
      baseline_form: `${best.kind}, ${best.poolSize} connections`,
      baseline_trials: trials.map(({ kind, poolSize, rate }) => `${kind} ${poolSize}: ${Math.round(rate)}/s`),
      cpu: { ...ours.cpu() },
      baseline_cpu: { ...aloneCpu.perItem() },
      ...(await profiled(stand, options)),
    };
    return await resultOf({
      bench: "decision",
      bar,
      measured,
      latencies: ours.latencies,
      stands: [stand],
      server,
      details,
      progress,
    });
  } finally {
    await alone.close();
  }
}

async function runHot(server: BenchServer, options: BenchOptions): Promise<BenchResult> {
  const spread = await openProgramme(server, { name: "spread", merchants, options });
  try {
    const hot = await openProgramme(server, { name: "hot", merchants: 1, options });
    try {
      return await hotAgainstSpread(server, { hot, spread, options });
    } finally {
      await hot.close();
    }
  } finally {
    await spread.close();
  }
}

async function hotAgainstSpread(
  server: BenchServer,
  { hot, spread, options }: { readonly hot: Stand; readonly spread: Stand; readonly options: BenchOptions },
): Promise<BenchResult> {
  const { signal, progress } = options;
  const times = timesOf(options.seconds, 1);
  await warmUp(hot, times.trial, options);
  await warmUp(spread, times.trial, options);
  const [onHot, onSpread] = [await loadOn(server, hot, signal), await loadOn(server, spread, signal)];
  const measured = await interleave({
    rounds: times.rounds,
    ours: () => onHot.run(times.slice),
    baseline: () => onSpread.run(times.slice),
    signal,
    onRound: (so) => progress.say(`decision --hot: ${perSecond(so.ours)}, spread ${perSecond(so.baseline)}`),
  });
  const details = {
    cpu: { ...onHot.cpu() },
    baseline_cpu: { ...onSpread.cpu() },
    ...(await profiled(hot, options)),
  };
  return resultOf({
    bench: "decision-hot",
    bar: hotBar,
    measured,
    latencies: onHot.latencies,
    stands: [hot, spread],
    server,
    details,
    progress,
  });
}

const perSecond = (slices: readonly Slice[]): string => `${Math.round(medianRate(slices)).toLocaleString("en")}/s`;

/** With `--profile`, our load once more under the sampler, after the measurement that it would slow down. */
async function profiled(stand: Stand, { profile, signal }: BenchOptions): Promise<BenchResult["details"]> {
  if (!profile) {
    return {};
  }
  const statements = timeStatements(stand.pool);
  const profileSeconds = 5;
  const functions = await cpuProfile("decision", () =>
    closedLoop({ inFlight, seconds: profileSeconds, signal, once: async () => void (await stand.decide()) }),
  );
  statements.stop();
  return { statements: statements.lines(), functions };
}

async function resultOf(run: {
  readonly bench: string;
  readonly bar: number;
  readonly measured: { readonly ours: readonly Slice[]; readonly baseline: readonly Slice[] };
  readonly latencies: readonly number[];
  readonly stands: readonly Stand[];
  readonly server: BenchServer;
  readonly details: BenchResult["details"];
  readonly progress: BenchOptions["progress"];
}): Promise<BenchResult> {
  run.progress.say("decision: verifying the ledger");
  const checks = await Promise.all(run.stands.map(checkLedger));
  const errors = run.stands.flatMap((stand) => stand.engine.errors);
  const [value, baseline] = [medianRate(run.measured.ours), medianRate(run.measured.baseline)];
  const { p50_ms, p99_ms, max_ms } = latenciesOf(run.latencies);
  return {
    bench: run.bench,
    ok: value / baseline >= run.bar && checks.every(({ ok }) => ok) && errors.length === 0,
    value: Math.round(value),
    baseline: Math.round(baseline),
    ratio: rounded(value / baseline),
    bar: run.bar,
    unit: "decisions/s",
    p50_ms,
    p99_ms,
    details: {
      max_ms,
      in_flight: inFlight,
      rounds: run.measured.ours.length,
      data_on: run.server.place,
      ...run.details,
      ledger: checks.map(({ ok, broken, approved, holds }) => ({ ok, broken, approved, holds })),
      errors,
    },
  };
}
