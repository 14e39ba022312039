/** `npm run settlement -- import FILE`: takes a settlement file of the card network in. See docs/reference/settlement-file.md. */
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createPool, migrate } from "../apps/server/src/database/index.ts";
import { type Clock, systemClock } from "../apps/server/src/kernel/index.ts";
import {
  createSettlement,
  type Imported,
  type ImportProgress,
  type ImportRefusal,
  type SettlementFile,
} from "../apps/server/src/settlement/index.ts";
import { createProgress } from "../bench/progress.ts";
import { fail } from "./failure.ts";
import { dataDirectoryHelp, dataDirectoryOf } from "./sandbox/data-directory.ts";
import { openDatabase } from "./sandbox/database.ts";

const clone = dirname(dirname(fileURLToPath(import.meta.url)));
const help = `npm run settlement -- import FILE    takes a settlement file of the card network in and compares it with its messages

FILE may be - for standard input. Rows, rows a second and the time that is left are shown on stderr, the result on stdout.
Importing a file again changes nothing and says the same. An import that was broken off begins anew.
  --json   prints the result as one line of JSON

Exit code 0 when the file is imported (differences are for the operator to resolve, and no failure); 1 when it is refused or
rejected, or something fails; 2 when these words cannot be read; 130 when it was broken off by a signal.

Settings (environment):
  DATABASE_URL             the database of the platform; the embedded one when absent
  ${dataDirectoryHelp}
`;

/** Statements are pieces of some thousand rows; a disk that is busy with other things must not end them. */
const statementTimeoutMs = 120_000;

interface Command {
  readonly path: string;
  readonly json: boolean;
}

/** Null for words that cannot be read. */
function readCommand(words: readonly string[]): Command | "help" | null {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: { json: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
    });
    const [verb, path, ...more] = positionals;
    if (values.help) return "help";
    return verb === "import" && path !== undefined && path !== "" && more.length === 0
      ? { path, json: values.json }
      : null;
  } catch {
    return null;
  }
}

async function main(): Promise<number> {
  const command = readCommand(process.argv.slice(2));
  if (command === null || command === "help") {
    (command === null ? process.stderr : process.stdout).write(help);
    return command === null ? 2 : 0;
  }
  if (command.path !== "-" && !(await isFile(command.path))) {
    process.stderr.write(`There is no file ${command.path}.\n`);
    return 1;
  }
  const log = (sentence: string) => void process.stderr.write(`  ${sentence}\n`);
  const database = await openDatabase({ data: dataDirectoryOf(clone), besideOthers: true, log });
  try {
    if (database.isEmbedded) {
      const directory = fileURLToPath(new URL("../apps/server/migrations", import.meta.url));
      await migrate({ url: database.url, directory, clock: systemClock });
    }
    return await importInto(database.url, command);
  } finally {
    await database.close();
  }
}

const isFile = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isFile(),
    () => false,
  );

async function importInto(url: string, { path, json }: Command): Promise<number> {
  const pool = createPool({
    url,
    role: "cardwright_app",
    max: 3,
    applicationName: "cardwright settlement",
    statementTimeoutMs,
  });
  const progress = createProgress(process.stderr);
  const stopping = new AbortController();
  const onSignal = (): void => stopping.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  try {
    const room = createSettlement({ pool, clock: await businessClock(pool) });
    const answer = await room.importFile(path === "-" ? process.stdin : createReadStream(path), {
      by: { actor: `${userInfo().username} on the command line` },
      signal: stopping.signal,
      onProgress: describeProgress(progress.say),
    });
    progress.clear();
    if (!answer.ok) {
      return tellRefusal(answer.reason, json);
    }
    return tellImported(answer.value, json);
  } catch (error) {
    progress.clear();
    if (stopping.signal.aborted) {
      process.stderr.write("Broken off. The file stays `importing`; import it again to begin anew.\n");
      return 130;
    }
    throw error;
  } finally {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    await pool.end();
  }
}

/** A sandbox's clock may have been moved; in production it never is. */
async function businessClock(pool: ReturnType<typeof createPool>): Promise<Clock> {
  const { rows } = await pool.query<{ offset_ms: bigint }>("SELECT offset_ms FROM sandbox_clock");
  const offsetMs = Number(rows[0]?.offset_ms ?? 0n);
  return { now: () => systemClock.now() + offsetMs };
}

const stepWords: Record<ImportProgress["step"], string> = {
  waiting: "waiting for another import of this file to end",
  clearing: "removing what an earlier import had left",
  reading: "reading",
  matching: "comparing",
  deciding: "looking for messages that no file has named",
};

/** One sentence each time: the step, how much of it, how fast, and how long it still takes at that speed. */
function describeProgress(say: (text: string) => void): (progress: ImportProgress) => void {
  let step = "";
  let beganMs = performance.now();
  let lastMs = beganMs;
  return (progress) => {
    if (progress.step !== step) {
      // A step tells of itself when its first part is done: it began when the one before had told its last.
      beganMs = lastMs;
      step = progress.step;
    }
    lastMs = performance.now();
    const { rows, of } = progress;
    const perSecond = rows / Math.max(0.001, (lastMs - beganMs) / 1000);
    const share = of === 0 ? "" : ` of ${of} rows (${Math.floor((rows / of) * 100)} %)`;
    const left =
      of === 0 || perSecond === 0 ? "" : `, ${Math.ceil(Math.max(0, of - rows) / perSecond)} s left in this step`;
    const speed = rows === 0 ? "" : ` ${rows}${share}, ${Math.round(perSecond)} rows/s${left}`;
    say(`${stepWords[progress.step]}${speed}`);
  };
}

const refusalSentences: Record<Exclude<ImportRefusal["kind"], "header_invalid">, string> = {
  file_id_reused: "Another file of this network has the same id and other content.",
  import_under_way: "This file is being imported by somebody else; ask again when that has ended.",
  import_taken_over: "Another import of this file has taken it over.",
};

function tellRefusal(refusal: ImportRefusal, json: boolean): number {
  const message =
    refusal.kind === "header_invalid"
      ? `This is no settlement file: ${refusal.message}.`
      : refusalSentences[refusal.kind];
  if (json) {
    process.stdout.write(`${JSON.stringify({ ok: false, error: refusal.kind, message })}\n`);
  } else {
    process.stderr.write(`${message}\n`);
  }
  return 1;
}

function tellImported({ file, repeat }: Imported, json: boolean): number {
  const isImported = file.state === "imported";
  process.stdout.write(json ? `${JSON.stringify(jsonOf(file, repeat))}\n` : textOf(file, repeat));
  return isImported ? 0 : 1;
}

function jsonOf(file: SettlementFile, repeat: boolean): object {
  return {
    ok: file.state === "imported",
    repeat,
    file_no: String(file.fileKey),
    file_id: file.fileId,
    settlement_date: file.settlementDate,
    state: file.state,
    reason: file.reason,
    sha256: file.sha256,
    rows: file.rowsRead,
    malformed: file.malformed,
    matched: file.matched,
    amount_differs: file.amountDiffers,
    only_theirs: file.onlyTheirs,
    named_twice: file.namedTwice,
    only_ours: file.onlyOurs,
    open_items: file.openItems,
  };
}

function textOf(file: SettlementFile, repeat: boolean): string {
  const name = `File ${file.fileKey} (${file.fileId}, ${file.settlementDate})`;
  const before = repeat ? "was before: nothing was changed" : "now";
  if (file.state === "rejected") {
    return `${name} is rejected, ${before}: ${file.reason}. Nothing of it counts.\n`;
  }
  const { rowsRead, malformed, matched, amountDiffers, onlyTheirs, namedTwice, onlyOurs, openItems } = file;
  return `${name} is imported, ${before}.
  rows             ${rowsRead}
  matched          ${matched}
  amount differs   ${amountDiffers}
  only theirs      ${onlyTheirs}
  named twice      ${namedTwice}
  malformed        ${malformed}
  only ours        ${onlyOurs ?? "known when the next day's file has been imported"}
${openItems === 0 ? "Nothing is open." : `${openItems} items of the file are open: GET /operator/v1/settlement/items?state=open`}
`;
}

try {
  process.exitCode = await main();
} catch (error) {
  fail(error);
}
