import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, type Pool } from "pg";
import { inject } from "vitest";
import { createPool, errorCode } from "../../apps/server/src/database/index.ts";

/** What test files are told about the server of their run. */
export interface TestServer {
  /** Connects as an administrator who may create databases and roles. */
  readonly url: string;
  /** The migrated database that every test database is a copy of. */
  readonly template: string;
}

declare module "vitest" {
  export interface ProvidedContext {
    /** `problem`: why there is no server; only the tests that need one fail by it. */
    databaseServer: TestServer | { readonly problem: string };
  }
}

/** A database of a test file's own, on the server of this test run. */
export interface TestDatabase {
  /** Connects as the owner of the tables, who is a superuser on the embedded server. */
  readonly url: string;
  /** Works as `cardwright_app`, as the platform does. */
  readonly pool: Pool;
  /** Works as `cardwright_vault`: sees the schema vault only. */
  readonly vaultPool: Pool;
  /** Keeps the rights of the owner, for checks the platform itself may not make. */
  readonly ownerPool: Pool;
  /** Ends the pools and removes the database, also when connections of a test are still open. */
  drop(): Promise<void>;
}

export interface TestDatabaseOptions {
  /** "migrated" (when absent) has every migration of this build; "empty" has nothing. */
  readonly schema?: "migrated" | "empty";
}

/** CREATE DATABASE refuses a template somebody is connected to (55006), as autovacuum briefly may be. */
const attemptsMax = 20;
const waitMs = 100;

/** A new database, copied from the migrated template in about 30 ms. Create one per test file and drop it in `afterAll`. */
export async function createTestDatabase(options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const server = inject("databaseServer");
  if ("problem" in server) {
    throw new Error(`the test run has no database: ${server.problem}`);
  }
  return createDatabaseOn(server, options);
}

/** The same on a server that is not the test run's. */
export async function createDatabaseOn(server: TestServer, options: TestDatabaseOptions = {}): Promise<TestDatabase> {
  const name = `cardwright_test_${randomBytes(8).toString("hex")}`;
  const template = options.schema === "empty" ? "template1" : server.template;
  await asAdministrator(server.url, (client) => copyDatabase(client, { name, template }));
  const url = databaseUrl(server.url, name);
  const common = { url, applicationName: "cardwright test", max: 10, statementTimeoutMs: 30_000 } as const;
  // Dropping ends connections by force; what the pools then report is no failure of a test.
  const onConnectionError = (): void => {};
  const pool = createPool({ ...common, role: "cardwright_app", onConnectionError });
  const vaultPool = createPool({ ...common, role: "cardwright_vault", onConnectionError });
  const ownerPool = createPool({ ...common, onConnectionError });
  return {
    url,
    pool,
    vaultPool,
    ownerPool,
    drop: async () => {
      await Promise.all([pool, vaultPool, ownerPool].filter((each) => !each.ended).map((each) => each.end()));
      await asAdministrator(server.url, (client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

async function copyDatabase(client: Client, copy: { readonly name: string; readonly template: string }): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      // The default writes every page to the log as well, which costs five times as much CPU; here nobody needs it after a crash.
      await client.query(`CREATE DATABASE ${copy.name} TEMPLATE ${copy.template} STRATEGY FILE_COPY`);
      return;
    } catch (error) {
      if (errorCode(error) !== "55006" || attempt >= attemptsMax) {
        throw error;
      }
      await sleep(waitMs);
    }
  }
}

/** The URL of another database on the same server. */
export function databaseUrl(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

export async function asAdministrator(serverUrl: string, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: serverUrl, application_name: "cardwright test" });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
