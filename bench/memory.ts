import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Benchmark, BenchOptions, BenchResult } from "./benchmark.ts";
import type { MemoryReport } from "./memory-process.ts";
import { startBenchServer } from "./postgres.ts";
import { buildDatabase } from "./stand.ts";
import { median, rounded, slope } from "./statistics.ts";

const rate = 2_000;
/** Megabytes after the run. */
const bar = 250;
/** In the last third of the run: V8 enlarges its heap in a few steps, the last of them after half a minute or after one and a half. */
const growthPerMinuteMax = 5;
const merchants = 20;
/** All of them are bought with within half a minute, so that the end shows growth and not a cache that fills. */
const cardsDefault = 10_000;
const bytesMin = 4e9;
/** The process opens the database and reads its cards before it reports. */
const startMs = 20_000;

export const memory: Benchmark = {
  name: "memory",
  summary: "resident memory of one deciding process at 2,000/s, and whether it grows",
  seconds: 180,
  run: async (options) => {
    const server = await startBenchServer({ place: options.place, bytesMin });
    try {
      const cards = options.rows === null ? cardsDefault : Math.ceil(options.rows / 10);
      const size = { merchants, cards, consumptions: cards };
      const url = await buildDatabase(server, {
        name: "memory",
        ...size,
        onStep: options.progress.say,
        measuredSeconds: options.seconds,
      });
      return [resultOf(await sample(url, options), options)];
    } finally {
      await server.stop();
    }
  },
};

/** Runs the process for the time and collects what it reports. */
async function sample(url: string, { seconds, signal, progress }: BenchOptions): Promise<MemoryReport[]> {
  const program = fileURLToPath(new URL("memory-process.ts", import.meta.url));
  const child = fork(program, [url, String(rate)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const reports: MemoryReport[] = [];
  try {
    await new Promise<void>((resolve, reject) => {
      const deadline = setTimeout(resolve, startMs + seconds * 1000);
      const end = (): void => {
        clearTimeout(deadline);
        resolve();
      };
      signal.addEventListener("abort", end, { once: true });
      child.on("error", reject);
      child.on("exit", end);
      child.on("message", (report: MemoryReport) => {
        reports.push(report);
        progress.say(`memory: ${megabytes(report.rssBytes)} MB after ${reports.length} s, ${report.decided} decisions`);
        if (reports.length >= seconds) {
          end();
        }
      });
    });
  } finally {
    if (child.connected) {
      child.disconnect();
    }
    await ended(child.exitCode === null && child.signalCode === null ? child : null);
  }
  return reports;
}

async function ended(child: ReturnType<typeof fork> | null): Promise<void> {
  if (child === null) {
    return;
  }
  const patienceMs = 10_000;
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMs);
  await new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
  });
  clearTimeout(timer);
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e6);

function resultOf(reports: readonly MemoryReport[], { seconds }: BenchOptions): BenchResult {
  const sizes = reports.map(({ rssBytes }) => rssBytes / 1e6);
  const last = reports.at(-1);
  const lastMb = rounded(sizes.at(-1) ?? Number.NaN);
  const lastThird = sizes.map((y, x) => ({ x: x / 60, y })).slice(Math.floor((sizes.length * 2) / 3));
  const growth = rounded(slope(lastThird));
  const decided = last?.decided ?? 0;
  // A process that does not keep up queues instead of deciding: its memory would say nothing.
  const keptUp = decided >= rate * seconds * 0.9;
  return {
    bench: "memory",
    ok: lastMb <= bar && growth <= growthPerMinuteMax && keptUp && last?.failure === "",
    value: lastMb,
    baseline: null,
    ratio: rounded(lastMb / bar),
    bar,
    unit: `MB after ${reports.length} s at ${rate}/s`,
    details: {
      first_mb: megabytes(reports[0]?.rssBytes ?? 0),
      median_mb: rounded(median(sizes)),
      max_mb: rounded(Math.max(...sizes)),
      heap_used_mb: megabytes(last?.heapUsedBytes ?? 0),
      growth_mb_per_minute: growth,
      growth_bar: growthPerMinuteMax,
      decided,
      failure: last?.failure ?? "the process reported nothing",
    },
  };
}
