import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const setupFile = fileURLToPath(new URL("setup/setup.ts", import.meta.url));

/** Stands in for npm: counts its calls, takes a moment, "installs" the present Node, or fails when told to. */
const fakeNpm = `
  const fs = require("node:fs");
  fs.appendFileSync("npm-calls", process.argv.slice(2).join(" ") + "\\n");
  setTimeout(() => {
    if (fs.existsSync("npm-fails")) { process.stderr.write("npm error the registry is away\\n"); process.exit(7); }
    fs.mkdirSync("node_modules/.bin", { recursive: true });
    fs.rmSync("node_modules/.bin/node", { force: true });
    fs.symlinkSync(process.execPath, "node_modules/.bin/node");
  }, 300);
`;

let clone: string;
beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), "cardwright-setup-"));
  await mkdir(join(clone, "scripts", "setup"), { recursive: true });
  await cp(setupFile, join(clone, "scripts", "setup", "setup.ts"));
  await writeFile(join(clone, "scripts", "setup", "package.json"), '{"type":"commonjs"}');
  await writeFile(join(clone, "package-lock.json"), '{"packages":{"":{}}}');
  await writeFile(join(clone, "npm-cli.js"), fakeNpm);
  await writeFile(
    join(clone, "scripts", "hello.ts"),
    'const words: string[] = process.argv.slice(2);\nconsole.log("hello", words.join(","));\nprocess.exitCode = 5;\n',
  );
});
afterEach(() => rm(clone, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

function start(...words: string[]): {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly output: () => string;
} {
  let output = "";
  const child = spawn(process.execPath, [join(clone, "scripts", "setup", "setup.ts"), ...words], {
    cwd: clone,
    env: { PATH: process.env["PATH"], npm_execpath: join(clone, "npm-cli.js") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text: Buffer) => {
      output += text.toString("utf8");
    });
  }
  const ended = once(child, "close").then(() => ({ code: child.exitCode, signal: child.signalCode, output }));
  return { child, ended, output: () => output };
}

async function npmCalls(): Promise<readonly string[]> {
  const text = await readFile(join(clone, "npm-calls"), "utf8").catch(() => "");
  return text.split("\n").filter((line) => line !== "");
}

test("the first run installs, runs the script with its arguments and ends with its code; the second installs nothing", async () => {
  const first = await start("scripts/hello.ts", "a", "b").ended;
  expect(first).toMatchObject({ code: 5, signal: null });
  expect(first.output).toContain("hello a,b");
  const second = await start("scripts/hello.ts").ended;
  expect(second).toMatchObject({ code: 5, output: "hello \n" });
  expect(await npmCalls()).toHaveLength(1);
});

test("another lock file installs again", async () => {
  await start("scripts/hello.ts").ended;
  await writeFile(join(clone, "package-lock.json"), '{"packages":{"":{},"node_modules/a":{"version":"2.0.0"}}}');
  await start("scripts/hello.ts").ended;
  expect(await npmCalls()).toHaveLength(2);
});

test("what npm already installed by hand is recognised by its own record and not installed again", async () => {
  await start("scripts/hello.ts").ended;
  const packages = { "node_modules/a": { version: "2.0.0" } };
  const other = { "node_modules/b": { version: "1.0.0", optional: true, os: ["aix"] } };
  await writeFile(join(clone, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...packages, ...other } }));
  await writeFile(join(clone, "node_modules", ".package-lock.json"), JSON.stringify({ packages }));
  await start("scripts/hello.ts").ended;
  expect(await npmCalls()).toHaveLength(1);
});

test("of three commands at once in a new clone one installs, and all run", async () => {
  const all = await Promise.all([1, 2, 3].map((word) => start("scripts/hello.ts", String(word)).ended));
  expect(all.map((ended) => ended.code)).toEqual([5, 5, 5]);
  expect(await npmCalls()).toHaveLength(1);
});

test("when npm fails its message and one sentence are shown, the code is 1, and the next run tries again", async () => {
  await writeFile(join(clone, "npm-fails"), "");
  const failed = await start("scripts/hello.ts").ended;
  expect(failed.code).toBe(1);
  expect(failed.output).toContain("the registry is away");
  expect(failed.output).toContain("npm install ended with code 7");
  expect(failed.output).not.toContain("hello");
  await rm(join(clone, "npm-fails"));
  expect((await start("scripts/hello.ts").ended).code).toBe(5);
});

test("a lock whose holder is gone, or has not moved for long, does not stop the next setup", async () => {
  const lock = join(clone, ".data", "setup.lock");
  await mkdir(lock, { recursive: true });
  await writeFile(join(lock, "pid"), String(2 ** 22 + 1));
  expect((await start("scripts/hello.ts").ended).code).toBe(5);
  await rm(join(clone, "node_modules"), { recursive: true });
  await mkdir(lock, { recursive: true });
  await writeFile(join(lock, "pid"), String(process.pid));
  await utimes(lock, 1, 1);
  expect((await start("scripts/hello.ts").ended).code).toBe(5);
});

test.each(["SIGINT", "SIGTERM"] as const)(
  "%s to the command alone reaches the script once, which may finish",
  async (signal) => {
    await writeFile(
      join(clone, "scripts", "stays.ts"),
      `let seen = 0;
     process.on(${JSON.stringify(signal)}, () => { seen += 1; setTimeout(() => { console.log("seen " + seen); process.exit(3); }, 200); });
     setInterval(() => {}, 1000);
     console.log("ready");`,
    );
    const { child, ended, output } = start("scripts/stays.ts");
    await expect.poll(output, { timeout: 10_000 }).toContain("ready");
    child.kill(signal);
    const end = await ended;
    expect(end.code).toBe(3);
    expect(end.output).toContain("seen 1");
  },
);

test("a script that ends by a signal makes the command end by the same", async () => {
  await writeFile(
    join(clone, "scripts", "dies.ts"),
    'process.kill(process.pid, "SIGTERM");\nsetInterval(() => {}, 1000);',
  );
  expect(await start("scripts/dies.ts").ended).toMatchObject({ code: null, signal: "SIGTERM" });
});

test("the file is plain JavaScript, so that a Node that cannot strip types runs it too", async () => {
  const copy = join(clone, "setup.cjs");
  await cp(setupFile, copy);
  const child = spawn(process.execPath, ["--check", copy], { stdio: "ignore" });
  await once(child, "exit");
  expect(child.exitCode).toBe(0);
});
