import { Client } from "pg";
import type { Clock } from "#kernel/index.ts";
import { constraintOf, DatabaseRefused, errorCode, explainConnectionFailure, isUnavailable } from "./errors.ts";
import { type Migration, readMigrations } from "./migration-files.ts";
import { ensureRoles, serverMajor } from "./roles.ts";

export interface MigrateOptions {
  /** The user of this URL owns the tables; it needs CREATE on the database, and once the right to create roles. */
  readonly url: string;
  /** Holds the files `NNNN_name.sql`. */
  readonly directory: string;
  readonly clock: Clock;
  /** Told one sentence for each migration that was applied. */
  readonly log?: (sentence: string) => void;
}

export interface MigrationReport {
  /** Names of the migrations this call applied, in order; empty when there was nothing to do. */
  readonly applied: readonly string[];
  /** The highest version in the database afterwards. */
  readonly version: number;
}

const serverMajorMin = 15;
/** How long one runner waits for another's migration, and a migration for the locks of running statements. */
const lockTimeoutMs = 300_000;

interface AppliedRow {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly breaking: boolean;
}

/**
 * Brings the database to the schema of this build, one transaction per migration. Several processes may do so at once:
 * the version row is the first thing a migration writes, so the second runner waits on its key, then finds it applied.
 * That needs no advisory lock, hence works on distributed Postgres too. Throws `DatabaseRefused` with a sentence when the
 * server is unreachable or too old, a file was changed after it was applied, or a newer build made a breaking change.
 */
export async function migrate(options: MigrateOptions): Promise<MigrationReport> {
  const migrations = await readMigrations(options.directory);
  const client = await connect(options.url);
  try {
    const major = await serverMajor(client);
    if (major < serverMajorMin) {
      throw new DatabaseRefused(
        "server_too_old",
        `The database runs Postgres ${major}; Cardwright needs ${serverMajorMin} or newer.`,
      );
    }
    // A migration may rewrite a large table: only the waiting for locks is bounded, not the work.
    await client.query(`SET statement_timeout = 0; SET lock_timeout = ${lockTimeoutMs}`);
    await ensureRoles(client);
    await ensureVersionTable(client);
    return await applyPending(client, migrations, options);
  } finally {
    await client.end();
  }
}

async function connect(url: string): Promise<Client> {
  if (!URL.canParse(url)) {
    throw new DatabaseRefused("unreachable", explainConnectionFailure({ code: "ERR_INVALID_URL" }, url));
  }
  const client = new Client({
    connectionString: url,
    application_name: "cardwright migrate",
    connectionTimeoutMillis: 10_000,
  });
  // A connection that breaks is reported by the query that runs on it; the event alone must not end the process.
  client.on("error", () => {});
  try {
    await client.connect();
  } catch (error) {
    throw new DatabaseRefused("unreachable", explainConnectionFailure(error, url), { cause: error });
  }
  return client;
}

async function ensureVersionTable(client: Client): Promise<void> {
  const attemptsMax = 5;
  for (let attempt = 1; ; attempt += 1) {
    try {
      // Asked first, because IF NOT EXISTS demands CREATE on the schema even when there is nothing to create.
      const found = await client.query<{ found: string | null }>(
        "SELECT to_regclass('public.schema_migration') AS found",
      );
      if (found.rows[0]?.found == null) {
        await client.query(`CREATE TABLE IF NOT EXISTS public.schema_migration (
          version integer PRIMARY KEY,
          name text NOT NULL,
          checksum text NOT NULL,
          applied_at bigint NOT NULL,
          breaking boolean NOT NULL
        )`);
        await client.query(`COMMENT ON TABLE public.schema_migration IS
          'One row per applied migration file, written by the migration runner in the same transaction as the change; never removed.'`);
        await client.query("GRANT SELECT ON public.schema_migration TO cardwright_app");
      }
      return;
    } catch (error) {
      // IF NOT EXISTS does not wait for another session that is creating the same table and its row type: 23505, 42P07, 42710;
      // XX000 from GRANT.
      if (attempt >= attemptsMax || !["23505", "42P07", "42710", "XX000"].includes(errorCode(error))) {
        throw asRefusal(error, "the table of migrations could not be created");
      }
    }
  }
}

async function applyPending(
  client: Client,
  migrations: readonly Migration[],
  options: MigrateOptions,
): Promise<MigrationReport> {
  const applied: string[] = [];
  for (const migration of migrations) {
    const present = await readApplied(client);
    refuseChanged(migrations, present);
    if (!present.some((row) => row.version === migration.version) && (await apply(client, migration, options.clock))) {
      applied.push(migration.name);
      options.log?.(`Applied migration ${migration.version} ${migration.name}.`);
    }
  }
  const present = await readApplied(client);
  refuseChanged(migrations, present);
  return { applied, version: Math.max(...present.map((row) => row.version)) };
}

async function readApplied(client: Client): Promise<readonly AppliedRow[]> {
  const answer = await client.query<AppliedRow>(
    "SELECT version, name, checksum, breaking FROM public.schema_migration ORDER BY version",
  );
  return answer.rows;
}

function refuseChanged(migrations: readonly Migration[], present: readonly AppliedRow[]): void {
  for (const row of present) {
    const known = migrations.find((migration) => migration.version === row.version);
    if (known === undefined && row.breaking) {
      throw new DatabaseRefused(
        "schema_newer_than_build",
        `The database has migration ${row.version} (${row.name}), which this build does not know: start the newer build, or restore the backup taken before the upgrade.`,
      );
    }
    if (known !== undefined && known.checksum !== row.checksum) {
      throw new DatabaseRefused(
        "migration_changed",
        `Migration ${row.version} (${row.name}) was applied with other content than its file has now: migrations are never edited, put the change into a new file.`,
      );
    }
  }
}

/** Whether this call applied it; false when another runner did while this one waited on the version row. */
async function apply(client: Client, migration: Migration, clock: Clock): Promise<boolean> {
  await client.query("BEGIN");
  try {
    await client.query(
      "INSERT INTO public.schema_migration (version, name, checksum, applied_at, breaking) VALUES ($1, $2, $3, $4, $5)",
      [migration.version, migration.name, migration.checksum, clock.now(), migration.breaking],
    );
    await client.query(migration.sql);
    await client.query("COMMIT");
    return true;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    if (constraintOf(error) === "schema_migration_pkey") {
      return false;
    }
    throw asRefusal(error, `migration ${migration.version} (${migration.name}) failed, nothing of it was kept`);
  }
}

function asRefusal(error: unknown, what: string): DatabaseRefused {
  const reason = error instanceof Error ? error.message : "unknown error";
  if (errorCode(error) === "42501") {
    return new DatabaseRefused(
      "missing_privilege",
      `The database user lacks a right (${reason}): ${what}. It needs CREATE on the database and on the schema public, best as owner of the database.`,
      { cause: error },
    );
  }
  return new DatabaseRefused(isUnavailable(error) ? "unreachable" : "migration_failed", `${what}: ${reason}`, {
    cause: error,
  });
}
