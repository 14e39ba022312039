import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { newMasterKey } from "../../apps/server/src/vault/index.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const clone = fileURLToPath(new URL("../..", import.meta.url));

/** As `scripts/setup` sets it, for test runs that begin without it. */
const compileCache = join(clone, "node_modules/.cache/node");

export const scripts = {
  start: join(clone, "scripts/start.ts"),
  demo: join(clone, "scripts/demo.ts"),
  verify: join(clone, "scripts/verify.ts"),
  keys: join(clone, "scripts/keys.ts"),
  platform: join(clone, "apps/server/src/main.ts"),
} as const;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A child process with everything it has said. */
export interface Running {
  readonly pid: number;
  stdout(): string;
  /** Waits until stdout matches; throws, with what was said instead, when the process ends first or a minute is over. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

export interface Command {
  readonly script: string;
  readonly words?: readonly string[];
  /** All settings: nothing of the test run's own environment reaches the child, except how programs are found and kept compiled. */
  readonly env: Readonly<Record<string, string>>;
}

const patienceMs = 60_000;
const lookMs = 20;
const alive = new Set<ChildProcess>();

export function run(command: Command): Running {
  const child = spawn(process.execPath, [command.script, ...(command.words ?? [])], {
    cwd: clone,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: process.env["HOME"] ?? "/",
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? compileCache,
      ...command.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  alive.add(child);
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  let over = false;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    // Not "exit": the pipes may still hold the last words.
    child.once("close", (code, signal) => {
      over = true;
      alive.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    kill: (signal) => void child.kill(signal),
    ended,
    said: async (pattern) => {
      for (const startedAt = performance.now(); performance.now() - startedAt < patienceMs; ) {
        const found = pattern.exec(stdout);
        if (found !== null) return found;
        if (over) break;
        await sleep(lookMs);
      }
      throw new Error(`it never said ${pattern.source}, but:\n${stdout}\n${stderr}`);
    },
  };
}

/** For `afterAll`: a test that failed half way leaves no process behind, and no test leaves data. */
export async function endAll(): Promise<void> {
  for (const child of alive) child.kill("SIGKILL");
  await becomes("no child process is left", () => alive.size === 0);
  for (const folder of folders.splice(0)) {
    // A database whose process was killed may still be writing.
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  }
}

const folders: string[] = [];

/** A folder that `endAll` removes. */
export async function folderOfTest(): Promise<string> {
  const folder = await temporaryFolder("processes");
  folders.push(folder);
  return folder;
}

/** Asks until it is so, for a minute; an error counts as "not yet". */
export async function becomes(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  let last: unknown = "it was not so";
  for (const startedAt = performance.now(); performance.now() - startedAt < patienceMs; ) {
    try {
      if (await isSo()) return;
    } catch (error) {
      last = error;
    }
    await sleep(lookMs);
  }
  throw new Error(`it did not become so within a minute: ${what}`, { cause: last });
}

/** A process that has ended and that its parent has not asked about yet is not: the first process of a container may take seconds to ask. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !hasEnded(pid);
}

/** Linux says so in its list of processes; elsewhere nobody is seen to have ended. */
function hasEnded(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/su.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** Settings for `start`, `demo` and `verify`: a data directory of their own, and free ports. */
export async function ownData(): Promise<{ readonly directory: string; readonly env: Record<string, string> }> {
  const directory = join(await folderOfTest(), "data");
  await mkdir(directory, { mode: 0o755 });
  return { directory, env: { CARDWRIGHT_DATA: directory, ...freePorts } };
}

export const freePorts = {
  API_PORT: "0",
  NETWORK_PORT: "0",
  OPERATIONS_PORT: "0",
  KYC_SIMULATOR_PORT: "0",
  CREDIT_MERCHANT_PORT: "0",
  AUTHORIZATION_MERCHANT_PORT: "0",
} as const;

/** Free at this moment, which is all that can be known. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

export interface PlatformSecrets {
  readonly ADMIN_TOKEN: string;
  readonly NETWORK_TOKEN: string;
  readonly VAULT_MASTER_KEYS: string;
  readonly SUMSUB_APP_TOKEN: string;
  readonly SUMSUB_SECRET: string;
  readonly SUMSUB_WEBHOOK_SECRET: string;
}

const secret = () => randomBytes(24).toString("base64url");

/** What every process of one platform must share. */
export function newSecrets(): PlatformSecrets {
  return {
    ADMIN_TOKEN: `admin_${secret()}`,
    NETWORK_TOKEN: `network_${secret()}`,
    VAULT_MASTER_KEYS: newMasterKey("test"),
    SUMSUB_APP_TOKEN: `sandbox_${secret()}`,
    SUMSUB_SECRET: secret(),
    SUMSUB_WEBHOOK_SECRET: secret(),
  };
}

/** A running process of the platform, and where it listens; "" for a role that it does not play. */
export interface PlatformProcess extends Running {
  readonly api: string;
  readonly network: string;
  readonly operations: string;
  readonly kycSimulator: string;
}

/** Starts `main.ts` as a sandbox and waits until it is ready. Ports are free ones unless `env` names them. */
export async function runPlatform(env: Readonly<Record<string, string>>): Promise<PlatformProcess> {
  const running = run({ script: scripts.platform, env: { CARDWRIGHT_ENV: "sandbox", ...freePorts, ...env } });
  const [line] = await running.said(/^.*"msg":"ready".*$/mu);
  const ready: Record<string, unknown> = JSON.parse(line);
  const urlOf = (name: string): string => (typeof ready[name] === "string" ? ready[name] : "");
  return {
    ...running,
    api: urlOf("api"),
    network: urlOf("network"),
    operations: urlOf("operations"),
    kycSimulator: urlOf("kycSimulator"),
  };
}

export const portOf = (url: string): string => new URL(url).port;

/** A call that was let in and whose body is not complete yet: as long as the test likes, it is under way. */
export async function beginCall(
  url: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ end(): Promise<number | "no answer"> }> {
  const options = { method: "POST", headers: { ...headers, "Content-Type": "application/json", "Content-Length": 2 } };
  const call = request(url, options);
  const answered = new Promise<number | "no answer">((resolve) => {
    call.on("response", (answer) => resolve(answer.resume().statusCode ?? 0));
    call.on("error", () => resolve("no answer"));
  });
  call.write("{");
  // A later connection to the same process has been served, so this one has been accepted and read.
  await once(call, "socket");
  await fetch(new URL("/", url));
  await fetch(new URL("/", url));
  return {
    end: () => {
      call.end("}");
      return answered;
    },
  };
}
