import type { BenchOptions, BenchResult } from "../benchmark.ts";
import { createCpuMeter } from "../cpu.ts";
import { type BenchServer, openOwnerPool, startBenchServer } from "../postgres.ts";
import { closedLoop, interleave, medianRate, type Slice } from "../slices.ts";
import { buildDatabase, openStand, type Stand } from "../stand.ts";
import { rounded } from "../statistics.ts";
import { removeOutbox } from "./without-outbox.ts";

/** The rate of decisions that queue their push to the rate of decisions that do not: 5 % may go. */
const bar = 0.95;
const merchants = 20;
const cardsMax = 10_000;
/** As in the decision benchmark: both lanes stay full. */
const inFlight = 512;
const warmUpSecondsMax = 2;
/** The machine changes its speed by a fifth within seconds: with turns of a second the ratio had a standard error of 5 %. */
const sliceSecondsMax = 0.25;
const diskBytesMin = 4e9;

/**
 * What the outbox costs a decision: the engine on two databases of one server, in turn, with the same programme; in one of them
 * the decision is the same function, which makes no pushes and does not insert them. Their texts come to both, and both take them apart.
 */
export async function queueing(options: BenchOptions): Promise<BenchResult> {
  const stack = new AsyncDisposableStack();
  try {
    const server = await startBenchServer({ place: options.place, bytesMin: diskBytesMin });
    stack.defer(() => server.stop());
    const queues = await openLoaded(server, { name: "queues", options, stack });
    const bare = await openLoaded(server, { name: "bare", options, stack });
    return await measure({ queues, bare }, options);
  } finally {
    await stack.disposeAsync();
  }
}

/** A stand, the pushes that were queued before, and what runs a slice of decisions on it. */
interface Loaded {
  readonly stand: Stand;
  /** Pushes that the run has queued so far. */
  pushes(): Promise<number>;
  run(seconds: number): Promise<Slice>;
  readonly cpu: ReturnType<typeof createCpuMeter>;
}

async function openLoaded(
  server: BenchServer,
  parts: { readonly name: "queues" | "bare"; readonly options: BenchOptions; readonly stack: AsyncDisposableStack },
): Promise<Loaded> {
  const { name, options, stack } = parts;
  const { signal, progress, rows } = options;
  const cards = Math.min(cardsMax, Math.max(merchants, Math.ceil((rows ?? Number.POSITIVE_INFINITY) / 10)));
  const size = { merchants, cards, consumptions: cards * 10 };
  const url = await buildDatabase(server, { name, ...size, onStep: progress.say, measuredSeconds: options.seconds });
  const ownerPool = openOwnerPool(url);
  stack.defer(() => ownerPool.end());
  if (name === "bare") {
    await removeOutbox(ownerPool);
  }
  const stand = await openStand({ url });
  stack.defer(() => stand.close());
  const cpu = createCpuMeter(await server.postmasterPid());
  const once = async (): Promise<void> => void (await stand.decide());
  return {
    stand,
    cpu,
    run: (seconds) => cpu.during(() => closedLoop({ inFlight, seconds, signal, once })),
    pushes: async () => {
      const { rows } = await ownerPool.query<{ count: bigint }>(
        "SELECT coalesce(sum(size), 0)::bigint AS count FROM callback_outbox",
      );
      return Number(rows[0]?.count ?? 0);
    },
  };
}

async function measure(
  { queues, bare }: { readonly queues: Loaded; readonly bare: Loaded },
  { seconds, signal, progress }: BenchOptions,
): Promise<BenchResult> {
  const warmUp = Math.min(warmUpSecondsMax, seconds / 10);
  progress.say("callbacks-queueing: warming up");
  await warm(queues, { seconds: warmUp, signal });
  await warm(bare, { seconds: warmUp, signal });
  const slice = Math.min(sliceSecondsMax, seconds / 4);
  const measured = await interleave({
    rounds: Math.max(2, Math.floor((seconds - 2 * warmUp) / (slice * 2))),
    ours: () => queues.run(slice),
    baseline: () => bare.run(slice),
    signal,
    onRound: (so) =>
      progress.say(
        `callbacks-queueing: ${Math.round(medianRate(so.ours))}/s, without ${Math.round(medianRate(so.baseline))}/s`,
      ),
  });
  const [value, baseline] = [medianRate(measured.ours), medianRate(measured.baseline)];
  const [cpu, bareCpu] = [queues.cpu.perItem(), bare.cpu.perItem()];
  const approved = { queues: queues.stand.approved, bare: bare.stand.approved };
  const pushes = { queues: await queues.pushes(), bare: await bare.pushes() };
  const isRight = pushes.queues === approved.queues && pushes.bare === 0;
  const errors = [...queues.stand.engine.errors, ...bare.stand.engine.errors];
  return {
    bench: "callbacks-queueing",
    ok: value / baseline >= bar && isRight && errors.length === 0,
    value: Math.round(value),
    baseline: Math.round(baseline),
    ratio: rounded(value / baseline),
    bar,
    unit: "decisions/s",
    details: {
      in_flight: inFlight,
      rounds: measured.ours.length,
      cpu: { ...cpu },
      baseline_cpu: { ...bareCpu },
      cpu_ratio: rounded((bareCpu.ours_us + bareCpu.postgres_us) / (cpu.ours_us + cpu.postgres_us)),
      approved,
      pushes,
      right: isRight,
      errors,
    },
  };
}

async function warm(
  { stand }: Loaded,
  { seconds, signal }: { readonly seconds: number; readonly signal: AbortSignal },
): Promise<void> {
  await closedLoop({ inFlight, seconds, signal, once: async () => void (await stand.decide()) });
}
