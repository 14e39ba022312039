import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, dirname, join } from "node:path";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { temporaryFolder } from "@cardwright/testing/temporary-folder";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyPorts, type Sandbox, startSandbox } from "../../scripts/sandbox/sandbox.ts";
import { document, type FencedBlock, fencedBlocks } from "./documents.ts";

/**
 * docs/guides/first-integration.md, followed line by line: its `sh` blocks run in one bash against a real sandbox, and what the
 * page shows behind a block is compared with what the block printed.
 */

const guide = "docs/guides/first-integration.md";
const blocks = fencedBlocks(document(guide));
const commands = blocks.filter(({ language }) => language === "sh");

interface Ran {
  readonly finished: boolean;
  readonly output: string;
}

let db: TestDatabase;
let sandbox: Sandbox;
let folder: string;
let shell: ChildProcess | null = null;
/** By the line of the block. */
const ran = new Map<number, Ran>();

beforeAll(async () => {
  db = await createTestDatabase();
  folder = await temporaryFolder("guide");
  sandbox = await startSandbox({
    directory: join(folder, "data"),
    databaseUrl: db.url,
    ports: anyPorts,
    freshMerchants: false,
    onSeed: () => undefined,
  });
  await followGuide();
});

afterAll(async () => {
  if (shell?.pid !== undefined) {
    killGroup(shell.pid);
  }
  await sandbox.stop();
  await db.drop();
  await rm(folder, { recursive: true, force: true });
});

/** The receivers that the page starts in the background belong to the shell's group: none may outlive a failed run. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of them have ended, as they should.
  }
}

async function freePort(): Promise<number> {
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

/** What a reader copies from the terminal of `npm start` into the page's first block. */
async function copiedValues(): Promise<ReadonlyMap<string, string>> {
  const { urls } = sandbox.platform;
  return new Map([
    ["API", urls.api ?? ""],
    ["KYC", urls.kycSimulator ?? ""],
    ["ADMIN_TOKEN", sandbox.desk.adminToken],
    ["PACKAGE_NO", sandbox.credit.account.productNo],
    ["CARD_BIN_NO", sandbox.authorization.account.productNo],
    ["CREDIT_PORT", String(await freePort())],
    ["AUTHORIZATION_PORT", String(await freePort())],
  ]);
}

/** The first block with the reader's values in place of the page's; every line of it is one. */
function filledIn(block: FencedBlock, values: ReadonlyMap<string, string>): string {
  const lines = block.text.trimEnd().split("\n");
  const names = lines.map((line) => /^([A-Z_]+)=\S+$/u.exec(line)?.[1] ?? "");
  expect(names).toEqual([...values.keys()]);
  return [...values].map(([name, value]) => `${name}='${value}'\n`).join("");
}

const marker = (what: "begin" | "end", line: number): string => `@@ ${what} ${line}`;

async function followGuide(): Promise<void> {
  const values = await copiedValues();
  const steps = commands.map((block, index) => ({
    line: block.line,
    text: index === 0 ? filledIn(block, values) : block.text,
  }));
  const script = [
    // A reader sees a failed command; here it ends the run.
    "set -eo pipefail",
    ...steps.flatMap(({ line, text }) => [`echo '${marker("begin", line)}'`, text, `echo '${marker("end", line)}'`]),
  ].join("\n");
  const working = join(folder, "reader");
  await mkdir(working);
  const output = await bash({ script, directory: working, path: await pathWithCurl() });
  for (const { line } of steps) {
    const begun = output.split(`${marker("begin", line)}\n`)[1] ?? "";
    const [own = "", rest] = begun.split(`${marker("end", line)}\n`);
    ran.set(line, { finished: rest !== undefined, output: own });
  }
}

async function bash(run: {
  readonly script: string;
  readonly directory: string;
  readonly path: string;
}): Promise<string> {
  const outputFile = join(folder, "output.txt");
  const scriptFile = join(folder, "guide.sh");
  await writeFile(scriptFile, run.script);
  // Through a file: a pipe would stay open as long as a background process of the page holds it.
  shell = spawn("bash", ["-c", `exec bash '${scriptFile}' > '${outputFile}' 2>&1`], {
    cwd: run.directory,
    env: { PATH: run.path, HOME: run.directory },
    stdio: "ignore",
    detached: true,
  });
  await once(shell, "exit");
  return readFile(outputFile, "utf8");
}

/** Node 24 first, as on the reader's PATH Node 20 or newer; and a stand-in for curl on a machine that has none. */
async function pathWithCurl(): Promise<string> {
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

test("the page has commands, and shows what most of them print", () => {
  expect(commands.length).toBeGreaterThan(10);
  expect(blocks.filter(({ language }) => language === "text" || language === "json").length).toBeGreaterThan(8);
});

test.each(commands.map(({ line, text }) => ({ line, first: text.split("\n", 1)[0] ?? "" })))(
  "the commands in line $line run to their end: $first",
  ({ line }) => {
    // The output is compared too, so that a failure shows it.
    const { finished, output } = ran.get(line) ?? { finished: false, output: "the run did not come this far" };
    expect({ finished, output }).toEqual({ finished: true, output });
  },
);

/** Blocks that are shown directly behind a command's block, with the command's line. */
const shown = blocks.flatMap((block, index) => {
  const before = blocks[index - 1];
  return block.language === "sh" || before?.language !== "sh" ? [] : [{ ...block, commandLine: before.line }];
});

test.each(shown)("what is shown in line $line is what the commands in line $commandLine print", (block) => {
  const output = ran.get(block.commandLine)?.output ?? "";
  const isJson = block.language === "json";
  expect(isJson ? formOf(JSON.parse(output)) : output).toEqual(isJson ? formOf(JSON.parse(block.text)) : block.text);
});

/** Fields whose value matters, beside their being there: what was decided, and amounts that the page explains. */
const exact = /^(?:code|msg|approved|response_code|reason|repeat|status|type|.*_unique_no|.*_balance)$/u;

function formOf(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) {
    return value.map((each) => formOf(each));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, formOf(member, key)]));
  }
  return exact.test(name) ? value : typeof value;
}

test("the purchases of the page are approved in both modes, and the ledger knows them", async () => {
  const { rows } = await db.pool.query<{ mode: string; status: string; amount: bigint }>(
    `SELECT m.mode, p.status, p.amount FROM consumption p JOIN merchant m USING (merchant_id)
     WHERE p.stage = 'held' ORDER BY m.mode`,
  );
  expect(rows).toEqual([
    { mode: "AUTHORIZATION", status: "Pending", amount: 2_500n },
    { mode: "CREDIT_EXTENSION", status: "Pending", amount: 2_500n },
  ]);
});
