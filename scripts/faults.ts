/** `npm run test:faults [-- NAME…]`: the long versions of the proofs in tests/faults: nothing is lost, doubled or left over. */
import { parseArgs } from "node:util";
import { createProgress, type Progress } from "../bench/progress.ts";
import { proveDatabaseKill } from "../tests/faults/database-proof.ts";
import { proveDelivery } from "../tests/faults/delivery-proof.ts";
import { proveKills } from "../tests/faults/kill-proof.ts";
import { proveModel } from "../tests/faults/model-proof.ts";
import type { ProofOptions, ProofReport } from "../tests/faults/proof.ts";
import { proveRaces } from "../tests/faults/races-proof.ts";
import { startTestServer } from "../tests/support/database-server.ts";
import { endAll } from "../tests/support/processes.ts";

interface Wanted {
  readonly seed: number;
  readonly kills: number;
  readonly steps: number;
}

interface Proof {
  readonly name: string;
  readonly summary: string;
  readonly run: (options: ProofOptions & Wanted) => Promise<ProofReport>;
}

const proofs: readonly Proof[] = [
  {
    name: "model",
    summary: "random operations by many merchants at once, against a model of a page",
    run: (options) => proveModel({ ...options, merchants: 24 }),
  },
  {
    name: "races",
    summary: "1,000 simultaneous purchases for exactly 500: credit, reserve, each limit, in two engines",
    run: (options) => proveRaces({ ...options, purchases: 1_000, winners: 500 }),
  },
  {
    name: "kill",
    summary: "kill -9 of platform processes and lost answers of the database under load; every promise is looked at",
    run: (options) => proveKills({ ...options, customers: 10, race: { purchases: 1_000, winners: 500 }, time: "real" }),
  },
  {
    name: "delivery",
    summary: "kill -9 of workers while they deliver to steady, failing and slow merchants; every push and its order",
    run: (options) => proveDelivery({ ...options, workers: 3, cardsOfMerchant: 100, pushesAtOnce: 12, time: "real" }),
  },
  {
    name: "database",
    summary: "kill -9 of the database server under load, durable on disk; the platform finds back",
    run: (options) => proveDatabaseKill({ ...options, customers: 6 }),
  },
];

const defaults = { kills: 50, steps: 20_000 };
const help = `npm run test:faults                    all proofs, about ten minutes
npm run test:faults -- NAME… [options]

${proofs.map(({ name, summary }) => `  ${name.padEnd(9)} ${summary}`).join("\n")}

  --seed N     repeats the random choices of an earlier run; which process meets which moment stays chance
  --kills N    kill, delivery: so many (${defaults.kills})
  --steps N    model: so many (${defaults.steps}); a shorter run of the same seed is the beginning of the longer one
  --json       one line of JSON for each proof on stdout

The exit code is 1 when a promise was broken or a proof did not come to its end.
`;

const stopping = new AbortController();
const progress: Progress = createProgress(process.stderr);

/** The first signal lets what runs end, with its processes and data; the second ends the processes and leaves. */
function onSignal(): void {
  if (stopping.signal.aborted) {
    void endAll();
    process.exit(130);
  }
  progress.note("stopping: processes and data are being removed");
  stopping.abort();
}

interface Command extends Wanted {
  readonly chosen: readonly Proof[];
  readonly json: boolean;
  readonly help: boolean;
}

/** Throws one sentence. */
function readCommand(words: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      seed: { type: "string" },
      kills: { type: "string" },
      steps: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.find((word) => !proofs.some(({ name }) => name === word));
  if (unknown !== undefined) {
    throw new Error(`there is no proof "${unknown}": ${proofs.map(({ name }) => name).join(", ")}`);
  }
  return {
    chosen: proofs.filter(({ name }) => positionals.length === 0 || positionals.includes(name)),
    seed: wholeNumber("seed", values.seed, { least: 0, most: 2 ** 32 - 1 }) ?? Math.floor(Math.random() * 2 ** 32),
    kills: wholeNumber("kills", values.kills, { least: 1, most: 10_000 }) ?? defaults.kills,
    steps: wholeNumber("steps", values.steps, { least: 1, most: 10_000_000 }) ?? defaults.steps,
    json: values.json,
    help: values.help,
  };
}

function wholeNumber(
  name: string,
  text: string | undefined,
  bounds: { readonly least: number; readonly most: number },
): number | null {
  if (text === undefined) {
    return null;
  }
  const value = Number(text);
  if (!Number.isInteger(value) || value < bounds.least || value > bounds.most) {
    throw new Error(`--${name} must be a whole number from ${bounds.least} to ${bounds.most}`);
  }
  return value;
}

/** A proof that throws has failed, whatever it had found. */
async function runOne(proof: Proof, options: ProofOptions & Wanted): Promise<ProofReport> {
  try {
    return await proof.run(options);
  } catch (error) {
    const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { proof: proof.name, ok: false, seed: options.seed, numbers: {}, violations: [why] };
  } finally {
    progress.clear();
  }
}

function summary(report: ProofReport, seconds: number): string {
  const numbers = Object.entries(report.numbers).map(([name, value]) => `${value.toLocaleString("en")} ${name}`);
  const lines = [
    `${report.ok ? "kept  " : "BROKEN"}  ${report.proof.padEnd(9)} ${seconds} s, seed ${report.seed}`,
    `        ${numbers.join(", ")}`,
    ...report.violations.map((violation) => `  ${violation}`),
  ];
  return `${lines.join("\n")}\n`;
}

async function main(): Promise<number> {
  const command = readCommand(process.argv.slice(2));
  if (command.help) {
    process.stdout.write(help);
    return 0;
  }
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  const server = await startTestServer();
  let ok = true;
  try {
    for (const proof of command.chosen) {
      if (stopping.signal.aborted) break;
      progress.note(`${proof.name}: ${proof.summary}`);
      const startedMs = performance.now();
      const say = (text: string): void => progress.say(text);
      const report = await runOne(proof, { ...command, server, say, signal: stopping.signal });
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      ok &&= report.ok;
      process.stdout.write(command.json ? `${JSON.stringify({ ...report, seconds })}\n` : summary(report, seconds));
    }
  } finally {
    await endAll();
    await server.stop();
  }
  return ok && !stopping.signal.aborted ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
// A connection that a failed proof has left open must not keep the command from ending.
process.exit();
