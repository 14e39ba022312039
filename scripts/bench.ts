/** `npm run bench [-- NAME…]`: measures the platform. See bench/README.md. */
import { ask } from "../bench/ask.ts";
import type { Benchmark, BenchOptions, BenchResult } from "../bench/benchmark.ts";
import { callbacks } from "../bench/callbacks/callbacks.ts";
import { readCommand } from "../bench/command.ts";
import { deadline } from "../bench/deadline.ts";
import { decision } from "../bench/decision.ts";
import { growth } from "../bench/growth.ts";
import { latency } from "../bench/latency.ts";
import { memory } from "../bench/memory.ts";
import { createProgress } from "../bench/progress.ts";
import { jsonLine, table } from "../bench/report.ts";
import { settlement } from "../bench/settlement.ts";

const benchmarks: readonly Benchmark[] = [decision, latency, ask, deadline, growth, memory, settlement, callbacks];

const help = `npm run bench                     all benchmarks, each as long as its own default
npm run bench -- NAME… [options]

${benchmarks.map(({ name, seconds, summary }) => `  ${name.padEnd(10)} ${summary} (${seconds} s)`).join("\n")}

  --seconds N    measure each for N seconds; building its data comes on top
  --rows N       N consumptions of data instead of the benchmark's own number, and a card for every ten of them;
                 settlement: N rows of the file; callbacks: N pushes of the backlog
  --json         one line of JSON for each result
  --hot          decision: all load on one merchant's reserve
  --tmpfs        data in memory (/dev/shm) where a benchmark would take the disk
  --profile      decision, callbacks: where the time goes, and a CPU profile in .data/
                 deadline: what of a merchant that hangs its neighbour notices

The exit code is 1 when a bar is missed or a benchmark fails.
`;

const stopping = new AbortController();
const progress = createProgress(process.stderr);

/** The first signal lets what runs end and removes its data; the second ends at once. */
function onSignal(): void {
  if (stopping.signal.aborted) {
    process.exit(130);
  }
  progress.note("stopping: data and servers are being removed");
  stopping.abort();
}

async function runOne(
  benchmark: Benchmark,
  options: Omit<BenchOptions, "seconds"> & { readonly seconds: number | null },
) {
  try {
    return await benchmark.run({ ...options, seconds: options.seconds ?? benchmark.seconds });
  } catch (error) {
    progress.note(
      `${benchmark.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
    );
    return null;
  } finally {
    progress.clear();
  }
}

async function main(): Promise<number> {
  const command = readCommand(
    process.argv.slice(2),
    benchmarks.map(({ name }) => name),
  );
  if (!command.ok) {
    process.stderr.write(`${command.reason}\n`);
    return 2;
  }
  const { names, help: wantsHelp, json, seconds, hot, rows, profile, tmpfs } = command.value;
  if (wantsHelp) {
    process.stdout.write(help);
    return 0;
  }
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const results: BenchResult[] = [];
  let failed = false;
  for (const benchmark of benchmarks.filter(({ name }) => names.includes(name))) {
    if (stopping.signal.aborted) {
      break;
    }
    const place = tmpfs ? "tmpfs" : "disk";
    const found = await runOne(benchmark, { seconds, hot, rows, profile, place, signal: stopping.signal, progress });
    failed ||= found === null;
    if (stopping.signal.aborted) {
      // Half a measurement is none.
      break;
    }
    for (const result of found ?? []) {
      results.push(result);
      if (json) {
        process.stdout.write(`${jsonLine(result)}\n`);
      }
    }
  }
  if (!json && results.length > 0) {
    process.stdout.write(`${table(results)}\n`);
  }
  return failed || stopping.signal.aborted || results.some(({ ok }) => !ok) ? 1 : 0;
}

process.exitCode = await main();
