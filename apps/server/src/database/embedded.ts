import { type ChildProcess, spawn } from "node:child_process";
import { type FileHandle, open, readFile, rm, stat, truncate } from "node:fs/promises";
import { createServer, Socket } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { type Binaries, findBinaries } from "./binaries.ts";
import { claimData, createData, dataMajor, serverPassword, superuser } from "./data-directory.ts";
import { DatabaseRefused, errorCode } from "./errors.ts";
import { findPostmaster, stopPostmaster } from "./postmaster.ts";
import { canUse, makePassable, processOptions, type ServerUser, serverUserFor } from "./server-account.ts";

export interface EmbeddedOptions {
  /** Made at the first start. Beside it stand `<name>.password`, `<name>.log` and `<name>.owner`. */
  readonly dataDirectory: string;
  /** A free port when absent. Only 127.0.0.1 is listened on. */
  readonly port?: number;
  /** Told what is being done, one sentence at a time. */
  readonly log?: (sentence: string) => void;
  /** Server settings that go before ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Throw-away data: not forced to the disk, and removed when the server stops or this process dies. */
  readonly ephemeral?: boolean;
}

export interface EmbeddedPostgres {
  /** Connects as the superuser to the database `cardwright`. */
  readonly url: string;
  readonly port: number;
  /** Ends the server; may be called more than once. */
  stop(): Promise<void>;
}

const databaseName = "cardwright";
const startTimeoutMs = 60_000;
const pollMs = 20;
const logBytesMax = 10_000_000;
/** A chosen port can be taken by another program before Postgres binds it. */
const attemptsMax = 3;

/**
 * For a developer's machine with 2 cores. Checkpoints are rare because each one stalled commits on the measured disk by up
 * to 1.4 s. Errors are logged without the statement and without DETAIL, either of which could hold a customer's data.
 */
const defaultSettings: Readonly<Record<string, string>> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  max_connections: "200",
  shared_buffers: "256MB",
  checkpoint_timeout: "15min",
  max_wal_size: "2GB",
  min_wal_size: "256MB",
  wal_compression: "on",
  jit: "off",
  random_page_cost: "1.1",
  timezone: "UTC",
  log_timezone: "UTC",
  lc_messages: "C",
  log_checkpoints: "off",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
};

/**
 * Starts a real Postgres for this process alone: an installed one, or the one that npm brought. It survives everything:
 * after kill -9 of the server the next start recovers; after kill -9 of this process a watching shell stops the server, and
 * if that was killed too, the next start stops the left-over server before it begins. Durable unless `settings` say
 * otherwise. Throws `DatabaseRefused` with one sentence (and the last lines of the log) when it cannot.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const { dataDirectory } = options;
  await makePassable(dirname(dataDirectory));
  const user = await serverUserFor(dataDirectory);
  await requireReachable(dirname(dataDirectory), user);
  const release = await claimData(dataDirectory);
  try {
    await stopLeftOver(options);
    const binaries = await prepareData(options, user);
    const server = await startServer(options, { binaries, user });
    return running(options, { server, release });
  } catch (error) {
    await release();
    if (options.ephemeral === true) {
      await removeData(dataDirectory);
    }
    throw error;
  }
}

async function requireReachable(parent: string, user: ServerUser): Promise<void> {
  if (!(await canUse(user, { path: parent, kind: "enter" }))) {
    throw new DatabaseRefused(
      "data_directory_unusable",
      `The user that runs Postgres (uid ${user?.uid ?? "of this process"}) cannot enter ${parent}: choose another directory, or open it with chmod o+x on every directory above.`,
    );
  }
}

async function stopLeftOver(options: EmbeddedOptions): Promise<void> {
  const leftOver = await findPostmaster(options.dataDirectory);
  if (leftOver !== null) {
    options.log?.(`Stopping a Postgres (process ${leftOver}) that an earlier start left behind.`);
    await stopPostmaster(leftOver, "fast");
  }
}

async function prepareData(options: EmbeddedOptions, user: ServerUser): Promise<Binaries> {
  const { dataDirectory } = options;
  const major = await dataMajor(dataDirectory);
  const configured = process.env["CARDWRIGHT_POSTGRES_BIN"] ?? "";
  const binaries = await findBinaries({ user, major, configured: configured === "" ? null : configured });
  const password = await serverPassword(dataDirectory);
  if (major === null) {
    options.log?.(`Creating a Postgres ${binaries.major} database in ${dataDirectory}.`);
    await createData({ dataDirectory, binaries, user, password, sync: options.ephemeral !== true });
  }
  return binaries;
}

interface Server {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly port: number;
  readonly url: string;
}

interface StartWith {
  readonly binaries: Binaries;
  readonly user: ServerUser;
}

async function startServer(options: EmbeddedOptions, start: StartWith): Promise<Server> {
  const deadlineMs = performance.now() + startTimeoutMs;
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const log = await openLog(`${options.dataDirectory}.log`);
    const server = await spawnServer(options, { ...start, port, logHandle: log.handle.fd });
    await log.handle.close();
    if (await isReadyOrStopped(server, deadlineMs)) {
      return server;
    }
    const lines = await lastLines(log.file, log.startsAt);
    // The second: the last processes of a killed server are still ending.
    const passing =
      (options.port === undefined && lines.includes("could not bind")) || lines.includes("pre-existing shared memory");
    if (!passing || attempt >= attemptsMax) {
      throw new DatabaseRefused("start_failed", `Postgres did not start; its log ${log.file} ends with: ${lines}`);
    }
    await sleep(500);
  }
}

/**
 * The server gets a session of its own: Ctrl-C at the terminal must reach it only after the platform has finished. Its log
 * is a file and not a pipe, so that it can go on writing when this process is gone.
 */
async function spawnServer(
  options: EmbeddedOptions,
  start: StartWith & { readonly port: number; readonly logHandle: number },
): Promise<Server> {
  const settings = { ...defaultSettings, ...options.settings };
  const child = spawn(
    join(start.binaries.directory, "postgres"),
    [
      "-D",
      options.dataDirectory,
      "-p",
      String(start.port),
      ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
    ],
    { ...processOptions(start.user), detached: true, stdio: ["ignore", start.logHandle, start.logHandle] },
  );
  // Unheard, a failure to spawn would end the process; here it shows as a missing pid.
  child.on("error", () => {});
  child.unref();
  if (child.pid === undefined) {
    throw new DatabaseRefused("start_failed", `${start.binaries.directory}/postgres could not be run.`);
  }
  const password = await serverPassword(options.dataDirectory);
  const url = `postgresql://${superuser}:${password}@127.0.0.1:${start.port}/${databaseName}`;
  return { child, pid: child.pid, port: start.port, url };
}

interface ServerLog {
  readonly handle: FileHandle;
  readonly file: string;
  /** Where this start's lines begin, in bytes. */
  readonly startsAt: number;
}

async function openLog(file: string): Promise<ServerLog> {
  const size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  if (size > logBytesMax) {
    await truncate(file);
  }
  const handle = await open(file, "a", 0o600);
  return { handle, file, startsAt: size > logBytesMax ? 0 : size };
}

async function lastLines(file: string, startsAt: number): Promise<string> {
  const text = (await readFile(file)).subarray(startsAt).toString("utf8").trim();
  return text === "" ? "(nothing)" : text.split("\n").slice(-5).join(" | ");
}

/** Free at this moment, which is all that can be known. */
async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

async function isReadyOrStopped(server: Server, deadlineMs: number): Promise<boolean> {
  let ready = false;
  try {
    ready = await becomesReady(server, deadlineMs);
    return ready;
  } finally {
    if (!ready) {
      await stopPostmaster(server.pid, "immediate");
    }
  }
}

/** Whether the server answers before the deadline; false when it ended or the time is over. */
async function becomesReady(server: Server, deadlineMs: number): Promise<boolean> {
  while (performance.now() < deadlineMs && server.child.exitCode === null && server.child.signalCode === null) {
    const answer = await tryDatabase(server.url);
    if (answer === "ready") {
      return true;
    }
    if (answer === "missing") {
      await createDatabase(server.url);
    } else {
      await sleep(pollMs);
    }
  }
  return false;
}

/** "waiting": not listening yet, or recovering. A wrong password or the like throws: it would not get better. */
async function tryDatabase(url: string): Promise<"ready" | "missing" | "waiting"> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on("error", () => {});
  try {
    await client.connect();
    return "ready";
  } catch (error) {
    const code = errorCode(error);
    if (code === "3D000") {
      return "missing";
    }
    if (code === "28P01") {
      throw new DatabaseRefused("start_failed", "The embedded Postgres refused the password kept beside its data.");
    }
    return "waiting";
  } finally {
    await client.end().catch(() => {});
  }
}

async function createDatabase(url: string): Promise<void> {
  const maintenance = new URL(url);
  maintenance.pathname = "/postgres";
  const client = new Client({ connectionString: maintenance.href });
  try {
    await client.connect();
    await client.query(`CREATE DATABASE ${databaseName}`);
  } finally {
    await client.end();
  }
}

function running(
  options: EmbeddedOptions,
  { server, release }: { readonly server: Server; readonly release: () => Promise<void> },
): EmbeddedPostgres {
  const guard = watchOver(options, server.pid);
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    guard.kill("SIGKILL");
    await stopPostmaster(server.pid, options.ephemeral === true ? "immediate" : "fast");
    await release();
    if (options.ephemeral === true) {
      await removeData(options.dataDirectory);
    }
  };
  return { url: server.url, port: server.port, stop: () => (stopping ??= stop()) };
}

/**
 * A shell that waits for the end of this process: the pipe that it reads closes however the process ends, kill -9 included.
 * Then it stops the server, and removes throw-away data.
 */
function watchOver(options: EmbeddedOptions, pid: number): ChildProcess {
  const script =
    options.ephemeral === true
      ? 'read -r _; kill -QUIT "$1"; i=0; while kill -0 "$1" && [ $i -lt 50 ]; do sleep 0.1; i=$((i+1)); done; rm -rf -- "$2" "$2.log" "$2.password" "$2.owner"; rmdir -- "${2%/*}"'
      : 'read -r _; kill -INT "$1"';
  const guard = spawn("/bin/sh", ["-c", script, "cardwright-postgres-guard", String(pid), options.dataDirectory], {
    cwd: "/",
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.on("error", () => {});
  guard.unref();
  if (guard.stdin instanceof Socket) {
    guard.stdin.on("error", () => {});
    guard.stdin.unref();
  }
  return guard;
}

async function removeData(dataDirectory: string): Promise<void> {
  for (const suffix of ["", ".log", ".password", ".owner"]) {
    await rm(`${dataDirectory}${suffix}`, { recursive: true, force: true });
  }
}
