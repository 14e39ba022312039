import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { fail } from "./failure.ts";
import { dataDirectoryHelp, dataDirectoryOf } from "./sandbox/data-directory.ts";
import { openDatabase } from "./sandbox/database.ts";
import { bold, stepLines } from "./sandbox/print.ts";
import { anyPorts, startSandbox } from "./sandbox/sandbox.ts";
import { playStory, type StoryFacts } from "./sandbox/story.ts";

const clone = dirname(dirname(fileURLToPath(import.meta.url)));
const help = `npm run demo: a purchase in each mode, two declines, every callback; then it ends

  --json   prints the facts as JSON on stdout: {"ok":true,"credit":{…},"authorization":{…},"callbacks":{…}}
Exit code 0 only when both purchases were approved, both others declined, and every callback arrived and verified.
It uses free ports and merchants of its own, so it can run beside npm start.

Settings (environment):
  DATABASE_URL             a Postgres 15 or newer of your own; an embedded one when absent
  ${dataDirectoryHelp}
`;

async function play(say: (line: string) => void): Promise<StoryFacts> {
  const data = dataDirectoryOf(clone);
  const database = await openDatabase({ data, besideOthers: true, log: say });
  try {
    const sandbox = await startSandbox({
      directory: data.path,
      databaseUrl: database.url,
      ports: anyPorts,
      freshMerchants: true,
      onSeed: () => say("Setting up a card programme and a merchant per mode."),
    });
    try {
      return await playStory(sandbox, (step) => say(stepLines(step)));
    } finally {
      await sandbox.stop();
    }
  } finally {
    await database.close();
  }
}

async function main(): Promise<number> {
  if (process.argv.includes("--help")) {
    process.stdout.write(help);
    return 0;
  }
  const json = process.argv.includes("--json");
  // With --json, stdout is for the facts alone; the story still shows that something is going on.
  const stream = json ? process.stderr : process.stdout;
  const facts = await play((line) => void stream.write(`${line}\n`));
  if (json) {
    process.stdout.write(`${JSON.stringify(facts)}\n`);
  } else {
    process.stdout.write(
      `\n${bold(facts.ok ? "All of it went as it should." : "Something did not go as it should.")}\n`,
    );
  }
  return facts.ok ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  fail(error);
}
