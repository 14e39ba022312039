import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { loadScenarios, type Scenario, ScenarioRefused } from "../apps/server/src/sandbox/index.ts";
import { fail } from "./failure.ts";
import { dataDirectoryHelp, dataDirectoryOf } from "./sandbox/data-directory.ts";
import { openDatabase } from "./sandbox/database.ts";
import { bold } from "./sandbox/print.ts";
import { makeLaneDatabases } from "./scenarios/database.ts";
import { listLines, playedLines, verboseListener } from "./scenarios/print.ts";
import { type PartPlayed, partsOf, runParts } from "./scenarios/run.ts";

const clone = dirname(dirname(fileURLToPath(import.meta.url)));
const help = `npm run scenarios            plays every scenario of apps/server/src/sandbox/scenarios, then verifies the ledger after each
npm run scenarios -- NAME…   plays these

  --list      the scenarios with their modes and titles; plays nothing
  --verbose   prints each step, each call, each callback and each posting of the ledger; one scenario at a time
  --json      prints one line: {"passed":N,"failed":N,"scenarios":[{"name":…,"ok":…,"ms":…}]}
Exit code 0 only when everything that was played went as it is written. A scenario counts once, whatever its modes.
The platforms that it plays on have databases of their own, which are removed at the end.

Settings (environment):
  DATABASE_URL             a Postgres 15 or newer whose user may create databases; an embedded one when absent
  ${dataDirectoryHelp}
`;

/** On 2 cores a third platform still shortens the run, since most of it is waiting for rounds of background work. */
const lanesMax = 3;

interface Wanted {
  readonly names: readonly string[];
  readonly list: boolean;
  readonly verbose: boolean;
  readonly json: boolean;
}

/** Null for words that mean nothing. */
function wantedOf(words: readonly string[]): Wanted | null {
  const options = words.filter((word) => word.startsWith("-"));
  if (options.some((option) => !["--list", "--verbose", "--json"].includes(option))) return null;
  const has = (option: string): boolean => options.includes(option);
  const names = words.filter((word) => !word.startsWith("-"));
  return { names, list: has("--list"), verbose: has("--verbose"), json: has("--json") };
}

async function play(scenarios: readonly Scenario[], wanted: Wanted): Promise<number> {
  // With --json, stdout is for that one line; the progress still shows that something is going on.
  const write = (text: string): void => void (wanted.json ? process.stderr : process.stdout).write(text);
  const data = dataDirectoryOf(clone);
  const parts = partsOf(scenarios);
  const server = await openDatabase({ data, besideOthers: true, log: (line) => write(`${line}\n`) });
  try {
    const lanes = wanted.verbose ? 1 : Math.min(lanesMax, parts.length);
    const databases = await makeLaneDatabases(server.url, lanes);
    try {
      const done = await runParts({
        parts,
        databases: databases.urls,
        log: pino({ level: "info" }, pino.destination({ dest: join(data.path, "scenarios.log"), mkdir: true })),
        oneByOne: wanted.verbose,
        onPlayed: (played) => write(playedLines(played)),
        ...(wanted.verbose && { listener: (part) => verboseListener(part, write) }),
      });
      return summary(scenarios, done, { json: wanted.json, write });
    } finally {
      await databases.drop();
    }
  } finally {
    await server.close();
  }
}

function summary(
  scenarios: readonly Scenario[],
  done: readonly PartPlayed[],
  out: { readonly json: boolean; readonly write: (text: string) => void },
): number {
  const results = scenarios.map(({ name, modes }) => {
    const parts = done.filter(({ scenario }) => scenario.name === name);
    const ok = parts.length === modes.length && parts.every(({ played }) => played.ok);
    return { name, ok, ms: parts.reduce((sum, { played }) => sum + played.ms, 0) };
  });
  const failed = results.filter(({ ok }) => !ok).length;
  const passed = results.length - failed;
  if (out.json) {
    process.stdout.write(`${JSON.stringify({ passed, failed, scenarios: results })}\n`);
  } else {
    out.write(`\n${bold(`${passed} passed, ${failed} failed`)}\n`);
  }
  return failed === 0 ? 0 : 1;
}

async function main(): Promise<number> {
  const words = process.argv.slice(2);
  if (words.includes("--help")) {
    process.stdout.write(help);
    return 0;
  }
  const wanted = wantedOf(words);
  if (wanted === null) {
    process.stderr.write(help);
    return 2;
  }
  const all = await loadScenarios();
  const unknown = wanted.names.filter((name) => !all.some((scenario) => scenario.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`There is no scenario ${unknown.join(", ")}. npm run scenarios -- --list shows all.\n`);
    return 2;
  }
  const scenarios = wanted.names.length === 0 ? all : all.filter(({ name }) => wanted.names.includes(name));
  if (wanted.list) {
    process.stdout.write(listLines(scenarios));
    return 0;
  }
  return play(scenarios, wanted);
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof ScenarioRefused) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } else {
    fail(error);
  }
}
