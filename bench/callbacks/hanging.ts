import type { BenchOptions, BenchResult } from "../benchmark.ts";
import { createCpuMeter } from "../cpu.ts";
import { startBenchServer } from "../postgres.ts";
import { interleave, medianRate, rateOf } from "../slices.ts";
import { rounded } from "../statistics.ts";
import { openPushStand, type PushStand, pushesFor, startPushMerchant } from "./push-stand.ts";

/** The rate of the healthy merchants beside the hanging ones to the rate when all are healthy. */
const bar = 0.8;
const merchants = 100;
const hanging = 10;
const cards = 10_000;
const warmUpPushes = 2_000;
const sliceSecondsMax = 2;
const diskBytesMin = 3e9;

interface Pair {
  readonly healthy: PushStand;
  readonly beside: PushStand;
}

/**
 * 100 merchants of which 10 accept every push and never answer, against 100 that all answer: two databases on one server, each
 * with its delivery, in turn. The hanging ones have pushes due all the time, as many as each of the others.
 */
export async function besideHanging(options: BenchOptions): Promise<BenchResult> {
  const stack = new AsyncDisposableStack();
  try {
    const server = await startBenchServer({ place: options.place, bytesMin: diskBytesMin });
    stack.defer(() => server.stop());
    const merchant = await startPushMerchant();
    stack.defer(() => merchant.stop());
    const common = { merchants, cards, merchant, signal: options.signal };
    const healthy = await openPushStand(server, { ...common, name: "HEALTHY", hanging: 0 });
    stack.defer(() => healthy.close());
    const beside = await openPushStand(server, { ...common, name: "BESIDE", hanging });
    stack.defer(() => beside.close());
    const cpus = [createCpuMeter(await server.postmasterPid()), createCpuMeter(await server.postmasterPid())] as const;
    healthy.callbacks.delivery.start();
    beside.callbacks.delivery.start();
    return await measure({ healthy, beside }, { cpus, options });
  } finally {
    await stack.disposeAsync();
  }
}

async function measure(
  { healthy, beside }: Pair,
  {
    cpus: [healthyCpu, besideCpu],
    options,
  }: {
    readonly cpus: readonly [ReturnType<typeof createCpuMeter>, ReturnType<typeof createCpuMeter>];
    readonly options: BenchOptions;
  },
): Promise<BenchResult> {
  const { seconds, signal, progress } = options;
  progress.say("callbacks-hanging: warming up");
  await healthy.drain(warmUpPushes);
  await beside.drain(warmUpPushes);
  const rate = rateOf(await healthy.drain(warmUpPushes));
  const slice = Math.min(sliceSecondsMax, seconds / 4);
  const pushes = pushesFor({ rate, seconds: slice, merchants });
  const measured = await interleave({
    rounds: Math.max(2, Math.floor(seconds / (slice * 2))),
    ours: () => beside.drain(pushes, besideCpu),
    baseline: () => healthy.drain(pushes, healthyCpu),
    signal,
    onRound: (so) =>
      progress.say(
        `callbacks-hanging: ${Math.round(medianRate(so.ours))}/s, all healthy ${Math.round(medianRate(so.baseline))}/s`,
      ),
  });
  const [value, baseline] = [medianRate(measured.ours), medianRate(measured.baseline)];
  const checks = { beside: await beside.check(), healthy: await healthy.check() };
  return {
    bench: "callbacks-hanging",
    ok: value / baseline >= bar && checks.beside.ok && checks.healthy.ok,
    value: Math.round(value),
    baseline: Math.round(baseline),
    ratio: rounded(value / baseline),
    bar,
    unit: "deliveries/s",
    details: {
      merchants,
      hanging,
      rounds: measured.ours.length,
      pushes_per_slice: pushes,
      cpu: { ...besideCpu.perItem() },
      baseline_cpu: { ...healthyCpu.perItem() },
      check: { ...checks.beside },
      baseline_check: { ...checks.healthy },
      errors: [...beside.errors, ...healthy.errors],
    },
  };
}
