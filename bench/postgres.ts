import { execFile } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Client, type Pool } from "pg";
import { createPool, migrate, startEmbeddedPostgres } from "../apps/server/src/database/index.ts";
import { systemClock } from "../apps/server/src/kernel/index.ts";

const migrations = fileURLToPath(new URL("../apps/server/migrations", import.meta.url));
const run = promisify(execFile);

/** The pool of one process on 2 cores (design/stack.md). */
export const platformPoolSize = 8;
/** `verify` reads every posting in one statement. */
const verifyTimeoutMs = 1_800_000;
/** A connection that breaks is the benchmark's own server stopping; a statement that breaks rejects by itself. */
const onConnectionError = (): void => {};

/** A benchmark's own Postgres, durable as in production: fsync and synchronous_commit are on. */
export interface BenchServer {
  readonly url: string;
  /** Where the data lies: what `fsync` costs depends on it. */
  readonly place: "disk" | "tmpfs";
  /** The server's first process. */
  postmasterPid(): Promise<number>;
  /** A new, migrated database; answers its URL. */
  createDatabase(name: string): Promise<string>;
  /**
   * Leaves old files of the log behind to be written over, as a server has them that has run for a while. A new one makes a file of zeroes
   * for each 16 MB of log, and for 30 ms nobody's commit goes on.
   */
  prepareLog(options: { readonly measuredSeconds: number }): Promise<void>;
  /** Starts the server anew with its production settings and these; see `loading`. Its URL may be another one then. */
  restartDurable(settings: Readonly<Record<string, string>>): Promise<void>;
  stop(): Promise<void>;
}

export interface BenchServerOptions {
  readonly place: "disk" | "tmpfs";
  /** Bytes that must be free where the data goes. */
  readonly bytesMin: number;
  /** Starts with settings for building data fast, without any durability; `restartDurable` ends that. */
  readonly loading?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
}

/** Half a minute instead of ten for ten million rows: nothing is forced to the disk and nothing is written twice. */
const loadingSettings: Readonly<Record<string, string>> = {
  fsync: "off",
  full_page_writes: "off",
  wal_level: "minimal",
  max_wal_senders: "0",
  autovacuum: "off",
  shared_buffers: "1GB",
  max_wal_size: "16GB",
  checkpoint_timeout: "1h",
};

/** The files of the log that a checkpoint keeps are `min_wal_size`. */
const durableSettings: Readonly<Record<string, string>> = {
  fsync: "on",
  synchronous_commit: "on",
  min_wal_size: "1GB",
};
/** 8,000 decisions a second write 27 MB of log. */
const logFilesPerSecond = 2;
const logFilesMax = 64;

/** Starts a Postgres in a new temporary folder; `stop` ends it and removes the folder. */
export async function startBenchServer(options: BenchServerOptions): Promise<BenchServer> {
  const { folder, place } = await makeFolder(options);
  const dataDirectory = join(folder, "postgres");
  const start = async (settings: Readonly<Record<string, string>>) =>
    startEmbeddedPostgres({ dataDirectory, settings: { ...settings, ...options.settings } });
  const remove = async () => rm(folder, { recursive: true, force: true });
  try {
    let server = await start(options.loading === true ? loadingSettings : durableSettings);
    return {
      get url() {
        return server.url;
      },
      place,
      postmasterPid: async () => Number((await readFile(join(dataDirectory, "postmaster.pid"), "utf8")).split("\n")[0]),
      createDatabase: async (name) => createDatabase(server.url, name),
      prepareLog: async ({ measuredSeconds }) =>
        prepareLog(server.url, Math.min(logFilesMax, Math.ceil(measuredSeconds * logFilesPerSecond))),
      restartDurable: async (settings) => {
        await server.stop();
        await flushDisk();
        server = await start({ ...durableSettings, ...settings });
      },
      stop: async () => {
        await server.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function makeFolder(options: BenchServerOptions): Promise<{ folder: string; place: "disk" | "tmpfs" }> {
  const memory = await bytesFree("/dev/shm");
  const place = options.place === "tmpfs" && memory >= options.bytesMin ? "tmpfs" : "disk";
  const parent = place === "tmpfs" ? "/dev/shm" : tmpdir();
  const free = await bytesFree(parent);
  if (free < options.bytesMin) {
    throw new Error(`${parent} has ${gigabytes(free)} GB free, this benchmark needs ${gigabytes(options.bytesMin)}`);
  }
  const folder = await mkdtemp(join(parent, "cardwright-bench-"));
  // As root the server runs as another user, who must be able to enter.
  await chmod(folder, 0o755);
  return { folder, place };
}

const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);

async function bytesFree(path: string): Promise<number> {
  const found = await statfs(path).catch(() => null);
  return found === null ? 0 : found.bavail * found.bsize;
}

/** What was built without fsync is still on its way to the disk and would be paid for by the measurement. */
async function flushDisk(): Promise<void> {
  await run("sync").catch(() => {});
}

async function prepareLog(serverUrl: string, files: number): Promise<void> {
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    for (let i = 0; i < files; i += 1) {
      // A file that nothing was written to is not ended.
      await client.query("SELECT pg_logical_emit_message(false, 'bench', '')");
      await client.query("SELECT pg_switch_wal()");
    }
    await client.query("CHECKPOINT");
  } finally {
    await client.end();
  }
}

async function createDatabase(serverUrl: string, name: string): Promise<string> {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const client = new Client({ connectionString: serverUrl });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  await migrate({ url: url.href, directory: migrations, clock: systemClock });
  return url.href;
}

/** The URL of a database after the server was started anew, which may have moved it to another port. */
export function urlOn(server: BenchServer, name: string): string {
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}

/** A pool as the platform's processes have it. */
export function openPlatformPool(url: string, max: number = platformPoolSize): Pool {
  return createPool({
    url,
    role: "cardwright_app",
    max,
    applicationName: "cardwright bench",
    statementTimeoutMs: verifyTimeoutMs,
    onConnectionError,
  });
}

/** Connects as the owner of the tables: builds data, and sees what the platform may not. */
export function openOwnerPool(url: string): Pool {
  const applicationName = "cardwright bench owner";
  return createPool({ url, max: 2, applicationName, statementTimeoutMs: verifyTimeoutMs, onConnectionError });
}
