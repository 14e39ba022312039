import { setTimeout as sleep } from "node:timers/promises";
import { signStandard, signV1 } from "@cardwright/signing";
import { Pool as HttpPool } from "undici";
import type { BenchOptions, BenchResult } from "../benchmark.ts";
import { apiSecret, appId, webhookSecret } from "../callbacks-room.ts";
import { createCpuMeter } from "../cpu.ts";
import { type BenchServer, startBenchServer } from "../postgres.ts";
import { cpuProfile, timeStatements } from "../profile.ts";
import { closedLoop, interleave, medianRate, rateOf } from "../slices.ts";
import { latenciesOf, rounded } from "../statistics.ts";
import { openPushStand, type PushMerchant, type PushStand, pushesFor, startPushMerchant } from "./push-stand.ts";

/** Deliveries a second to one healthy merchant of this machine. */
const bar = 3_000;
const cards = 10_000;
/** As many bare calls under way as the ask benchmark has: more only wait for the merchant's one core. */
const bareInFlight = 64;
const warmUpPushes = 2_000;
const sliceSecondsMax = 2;
/** Of the time: pushes that come in one after the other at half of the rate, for the delay of each. */
const pacedShare = 0.25;
const pacedLoad = 0.5;
const pacedStepMs = 20;
const profileSeconds = 5;
const diskBytesMin = 3e9;
const arrivalTimeoutMs = 30_000;

/** Pushes of 10,000 cards to one healthy merchant, against the bare call with a finished body and signature. */
export async function sustained(options: BenchOptions): Promise<BenchResult> {
  const stack = new AsyncDisposableStack();
  try {
    const settings = options.profile ? { shared_preload_libraries: "pg_stat_statements" } : {};
    const server = await startBenchServer({ place: options.place, bytesMin: diskBytesMin, settings });
    stack.defer(() => server.stop());
    const merchant = await startPushMerchant();
    stack.defer(() => merchant.stop());
    const { signal } = options;
    const stand = await openPushStand(server, { name: "SUSTAINED", merchants: 1, cards, hanging: 0, merchant, signal });
    stack.defer(() => stand.close());
    const bare = openBareCalls(merchant);
    stack.defer(() => bare.close());
    stand.callbacks.delivery.start();
    return await measure({ server, merchant, stand, bare }, options);
  } finally {
    await stack.disposeAsync();
  }
}

interface Parts {
  readonly server: BenchServer;
  readonly merchant: PushMerchant;
  readonly stand: PushStand;
  readonly bare: ReturnType<typeof openBareCalls>;
}

async function measure({ server, merchant, stand, bare }: Parts, options: BenchOptions): Promise<BenchResult> {
  const { seconds, signal, progress } = options;
  progress.say("callbacks: warming up");
  await stand.drain(warmUpPushes);
  const rate = rateOf(await stand.drain(warmUpPushes));
  const measuredSeconds = seconds * (1 - pacedShare);
  const slice = Math.min(sliceSecondsMax, measuredSeconds / 4);
  const pushes = pushesFor({ rate, seconds: slice, merchants: 1 });
  const cpu = createCpuMeter(await server.postmasterPid());
  const bareCpu = createCpuMeter(await server.postmasterPid());
  const cpuOfMerchant = async (): Promise<number> => (await merchant.order({ kind: "page", book: "" })).cpuMs;
  let merchantMs = 0;
  const measured = await interleave({
    rounds: Math.max(2, Math.floor(measuredSeconds / (slice * 2))),
    ours: async () => {
      const before = await cpuOfMerchant();
      const drained = await stand.drain(pushes, cpu);
      merchantMs += (await cpuOfMerchant()) - before;
      return drained;
    },
    baseline: () =>
      bareCpu.during(() => closedLoop({ inFlight: bareInFlight, seconds: slice, once: bare.once, signal })),
    signal,
    onRound: (so) =>
      progress.say(`callbacks: ${Math.round(medianRate(so.ours))}/s, bare ${Math.round(medianRate(so.baseline))}/s`),
  });
  const [value, baseline] = [medianRate(measured.ours), medianRate(measured.baseline)];
  progress.say("callbacks: pushes one after the other");
  const pacedRate = value * pacedLoad;
  const delays = await paced(stand, { rate: pacedRate, seconds: seconds * pacedShare, signal });
  const profile = await profiled(stand, { rate: value, options });
  const check = await stand.check();
  const { p50_ms, p99_ms, p999_ms, max_ms } = latenciesOf(delays);
  const delivered = measured.ours.reduce((sum, { count }) => sum + count, 0);
  return {
    bench: "callbacks",
    ok: value >= bar && check.ok && delays.length > 0,
    value: Math.round(value),
    baseline: Math.round(baseline),
    ratio: rounded(value / baseline),
    bar,
    unit: "deliveries/s",
    p50_ms,
    p99_ms,
    details: {
      p999_ms,
      max_ms,
      delay_measured_at_per_s: Math.round(pacedRate),
      bare_per_s: Math.round(baseline),
      ratio_to_bare: rounded(value / baseline),
      cards,
      rounds: measured.ours.length,
      pushes_per_slice: pushes,
      data_on: server.place,
      cpu: { ...cpu.perItem(), merchant_us: rounded((merchantMs * 1000) / delivered) },
      baseline_cpu: { ...bareCpu.perItem() },
      ...profile,
      check: { ...check },
      errors: [...stand.errors],
    },
  };
}

/** Pushes that come in evenly; answers the milliseconds from each one's due moment to its arrival. */
async function paced(
  stand: PushStand,
  { rate, seconds, signal }: { readonly rate: number; readonly seconds: number; readonly signal: AbortSignal },
): Promise<readonly number[]> {
  await stand.report("delays");
  const startedMs = performance.now();
  const before = stand.queued;
  for (let atMs = 0; atMs < seconds * 1000 && !signal.aborted; atMs = performance.now() - startedMs) {
    const wanted = Math.ceil((rate * atMs) / 1000) - (stand.queued - before);
    if (wanted > 0) {
      await stand.queue(wanted);
    }
    await sleep(pacedStepMs);
  }
  await stand.arrived(stand.queued, arrivalTimeoutMs);
  return (await stand.report("delays")).delays;
}

/** With `--profile`: the load once more under V8's sampler and the server's own count of its statements. */
async function profiled(
  stand: PushStand,
  { rate, options }: { readonly rate: number; readonly options: BenchOptions },
): Promise<BenchResult["details"]> {
  if (!options.profile) {
    return {};
  }
  const counted = await countStatements(stand.ownerPool);
  const times = timeStatements(stand.pool);
  const functions = await cpuProfile("callbacks", () =>
    stand.drain(pushesFor({ rate, seconds: profileSeconds, merchants: 1 })),
  );
  times.stop();
  return { statements: times.lines(), server_statements: await counted.lines(), functions };
}

const statementsShown = 15;
const statementCharactersShown = 110;

/** What the server itself counted for each statement since. */
async function countStatements(pool: PushStand["ownerPool"]) {
  await pool.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
  await pool.query("SELECT pg_stat_statements_reset()");
  return {
    lines: async (): Promise<string[]> => {
      const { rows } = await pool.query<{ query: string; calls: bigint; total: number; mean: number; rows: bigint }>(
        `SELECT query, calls, total_exec_time AS total, mean_exec_time AS mean, rows FROM pg_stat_statements
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY total_exec_time DESC LIMIT $1`,
        [statementsShown],
      );
      return rows.map(
        ({ query, calls, total, mean, rows: found }) =>
          `${Math.round(total)} ms in ${calls} calls of ${rounded(mean)} ms, ${found} rows: ${query.replaceAll(/\s+/gu, " ").trim().slice(0, statementCharactersShown)}`,
      );
    },
  };
}

/** The same call without the platform: the same body and signature each time, to the same merchant, entered in no book. */
function openBareCalls({ origin }: PushMerchant) {
  const pool = new HttpPool(origin, { connections: bareInFlight, pipelining: 1 });
  const timestamp = String(Date.now());
  const dataText = `{"consume_no":"O20260522SUSTAINED000000000000001","consume_relate_no":"","card_no":"C20260522SUSTAINED000000000000001","cardholder_no":"U2026052266YX000000000001","type":"Consumption","amount":25.81,"local_amount":25.81,"local_currency":"USD","fee":0.26,"remark":"","detail":"","fee_detail":[{"fee_type":"Consume_fee","amount":0.26}],"merchant_info":{"merchant_name":"Corner Shop","merchant_mcc":"5411","city":"Singapore","country":"SG"},"status":"Pending","time":${timestamp},"due_at":${timestamp}}`;
  const id = "019a0000-0000-7000-8000-000000000000";
  const body = `{"id":"${id}","action":"Consumption","data":${dataText}}`;
  const timestampSeconds = Math.floor(Number(timestamp) / 1000);
  const headers = {
    "Content-Type": "application/json",
    Timestamp: timestamp,
    Signature: signV1({ appId, apiSecret, timestamp, dataText }),
    "Sign-Version": "V1",
    Timezone: "UTC+8",
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signStandard({ id, timestampSeconds, body, secret: webhookSecret }),
    Sequence: "1",
    Attempt: "1",
  };
  return {
    once: async (): Promise<void> => {
      const answer = await pool.request({ path: "/bare", method: "POST", headers, body });
      await answer.body.text();
    },
    close: () => pool.close(),
  };
}
