import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { expect } from "vitest";
import type { FencedBlock } from "./documents.ts";

/** What became of the commands of one block. */
export interface Ran {
  readonly finished: boolean;
  readonly output: string;
}

export interface Guide {
  /** Its `sh` blocks, in order. The first holds nothing but values that the reader fills in, one a line. */
  readonly commands: readonly FencedBlock[];
  /** What a reader copies from the terminal of `npm start` into the first block. */
  readonly values: ReadonlyMap<string, string>;
  /** For what the test itself writes; exists. */
  readonly folder: string;
  /** Where the reader is; exists. */
  readonly working: string;
}

export interface FollowedGuide {
  /** By the line of the block. */
  readonly ran: ReadonlyMap<number, Ran>;
  /** Ends what the page has started in the background: it belongs to the shell's group, and none of it may outlive a failed run. */
  readonly end: () => void;
}

/** Runs the blocks of a page in one bash, as a reader would paste them, until one of them fails. */
export async function followGuide({ commands, values, folder, working }: Guide): Promise<FollowedGuide> {
  const steps = commands.map((block, index) => ({
    line: block.line,
    text: index === 0 ? filledIn(block, values) : block.text,
  }));
  const script = [
    // A reader sees a failed command; here it ends the run.
    "set -eo pipefail",
    ...steps.flatMap(({ line, text }) => [`echo '${marker("begin", line)}'`, text, `echo '${marker("end", line)}'`]),
  ].join("\n");
  const { output, shell } = await bash({ script, folder, working, path: await pathWithCurl(folder) });
  const ran = steps.map(({ line }) => {
    const begun = output.split(`${marker("begin", line)}\n`)[1] ?? "";
    const [own = "", rest] = begun.split(`${marker("end", line)}\n`);
    return [line, { finished: rest !== undefined, output: own }] as const;
  });
  return { ran: new Map(ran), end: () => killGroup(shell) };
}

/** The first block with the reader's values in place of the page's; every line of it is one. */
function filledIn(block: FencedBlock, values: ReadonlyMap<string, string>): string {
  const lines = block.text.trimEnd().split("\n");
  const found = lines.map((line) => /^(?<export>export )?(?<name>[A-Z_]+)=\S+$/u.exec(line)?.groups ?? {});
  expect(found.map(({ name }) => name)).toEqual([...values.keys()]);
  return found.map(({ export: word = "", name = "" }) => `${word}${name}='${values.get(name)}'\n`).join("");
}

const marker = (what: "begin" | "end", line: number): string => `@@ ${what} ${line}`;

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of them have ended, as they should.
  }
}

async function bash(run: {
  readonly script: string;
  readonly folder: string;
  readonly working: string;
  readonly path: string;
}): Promise<{ readonly output: string; readonly shell: ChildProcess }> {
  const outputFile = join(run.folder, "output.txt");
  const scriptFile = join(run.folder, "guide.sh");
  await writeFile(scriptFile, run.script);
  // Through a file: a pipe would stay open as long as a background process of the page holds it.
  const shell = spawn("bash", ["-c", `exec bash '${scriptFile}' > '${outputFile}' 2>&1`], {
    cwd: run.working,
    env: { PATH: run.path, HOME: run.working },
    stdio: "ignore",
    detached: true,
  });
  const ended = once(shell, "exit");
  const limit = setTimeout(() => killGroup(shell), guideMsMax);
  await ended;
  clearTimeout(limit);
  return { output: await readFile(outputFile, "utf8"), shell };
}

/** A page takes seconds; one that waits for something that never comes must not outlive the test that follows it. */
const guideMsMax = 150_000;

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") {
    throw new Error("a TCP server has a port");
  }
  return address.port;
}

/** Node 24 first, as on the reader's PATH Node 20 or newer; and a stand-in for curl on a machine that has none. */
async function pathWithCurl(folder: string): Promise<string> {
  const path = [dirname(process.execPath), process.env["PATH"] ?? ""].join(delimiter);
  const found = spawn("curl", ["--version"], { stdio: "ignore" });
  const exists = await Promise.race([once(found, "error").then(() => false), once(found, "exit").then(() => true)]);
  if (exists) {
    return path;
  }
  const bin = join(folder, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "curl"), curlStandIn);
  await chmod(join(bin, "curl"), 0o755);
  return [bin, path].join(delimiter);
}

/** The options of curl that the page uses, and no others. */
const curlStandIn = `#!/usr/bin/env node
const [headers, rest] = [{}, process.argv.slice(2)];
let method, body, url;
let end = "";
for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
  if (word === "-sS") continue;
  if (word === "-w") end = rest.shift().replace("\\\\n", "\\n");
  else if (word === "-X") method = rest.shift();
  else if (word === "-d") body = rest.shift();
  else if (word === "-H") {
    const [, name, value] = /^([^:]+):\\s*(.*)$/u.exec(rest.shift());
    headers[name] = value;
  } else if (word.startsWith("-")) throw new Error("curl stand-in: " + word);
  else url = word;
}
fetch(url, { method: method ?? (body === undefined ? "GET" : "POST"), headers, body })
  .then((answer) => answer.text())
  .then((text) => process.stdout.write(text + end));
`;
