import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createPool, type DatabaseRefusal, DatabaseRefused, type MigrationReport, migrate } from "./index.ts";

const clock = { now: () => 1_700_000_000_000 };

let database: TestDatabase;
let directory: string;
beforeEach(async () => {
  database = await createTestDatabase({ schema: "empty" });
  directory = await mkdtemp(join(tmpdir(), "cardwright-migrations-"));
});
afterEach(async () => {
  await database.drop();
  await rm(directory, { recursive: true, force: true });
});

const write = (name: string, sql: string): Promise<void> => writeFile(join(directory, name), sql);
const run = (url = database.url): Promise<MigrationReport> => migrate({ url, directory, clock });

async function refusalOf(promise: Promise<unknown>): Promise<{ refusal: DatabaseRefusal; sentence: string }> {
  const error: unknown = await promise.catch((thrown: unknown) => thrown);
  if (error instanceof DatabaseRefused) {
    return { refusal: error.refusal, sentence: error.message };
  }
  throw new Error(`not refused: ${String(error)}`);
}

async function tables(): Promise<readonly string[]> {
  const answer = await database.ownerPool.query<{ name: string }>(
    "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
  );
  return answer.rows.map((row) => row.name);
}

test("migrations run once, in order of their numbers, and are recorded with name, checksum and time", async () => {
  await write("0002_second.sql", "ALTER TABLE first ADD COLUMN more int;");
  await write("0001_first.sql", "CREATE TABLE first (id int);\n-- two statements\nINSERT INTO first VALUES (1);");
  expect(await run()).toEqual({ applied: ["first", "second"], version: 2 });
  expect(await run()).toEqual({ applied: [], version: 2 });
  const rows = await database.ownerPool.query<Record<string, unknown>>(
    "SELECT version, name, length(checksum) AS length, applied_at, breaking FROM schema_migration ORDER BY version",
  );
  expect(rows.rows).toEqual([
    { version: 1, name: "first", length: 64, applied_at: 1_700_000_000_000n, breaking: true },
    { version: 2, name: "second", length: 64, applied_at: 1_700_000_000_000n, breaking: true },
  ]);
});

test("several runners at once apply each migration exactly once", async () => {
  await write("0001_first.sql", "CREATE TABLE first (id int); SELECT pg_sleep(0.1);");
  await write("0002_second.sql", "CREATE TABLE second (id int);");
  const reports = await Promise.all([run(), run(), run(), run()]);
  expect(reports.flatMap((report) => report.applied).toSorted()).toEqual(["first", "second"]);
  expect(reports.map((report) => report.version)).toEqual([2, 2, 2, 2]);
});

test("a migration that fails leaves nothing of itself, names its file, and can be run again when repaired", async () => {
  await write("0001_first.sql", "CREATE TABLE first (id int);");
  await write("0002_broken.sql", "CREATE TABLE second (id int);\nSELECT nonsense;");
  const { refusal, sentence } = await refusalOf(run());
  expect(refusal).toBe("migration_failed");
  expect(sentence).toContain("migration 2 (broken)");
  expect(await tables()).toEqual(["first", "schema_migration"]);
  await write("0002_broken.sql", "CREATE TABLE second (id int);");
  expect((await run()).applied).toEqual(["broken"]);
});

test("a file that was changed after it was applied is refused; other line ends are no change", async () => {
  await write("0001_first.sql", "CREATE TABLE first (\nid int);");
  await run();
  await write("0001_first.sql", "CREATE TABLE first (\r\nid int);");
  expect((await run()).applied).toEqual([]);
  await write("0001_first.sql", "CREATE TABLE first (\nid bigint);");
  expect(await refusalOf(run())).toMatchObject({ refusal: "migration_changed" });
});

test("a database with a newer breaking migration is refused, one with a compatible newer one is not", async () => {
  await write("0001_first.sql", "CREATE TABLE first (id int);");
  await write("0002_extra.sql", "-- compatible: only adds a table\nCREATE TABLE extra (id int);");
  await run();
  await rm(join(directory, "0002_extra.sql"));
  expect(await run()).toEqual({ applied: [], version: 2 });
  await write("0003_breaking.sql", "DROP TABLE first;");
  await run();
  await rm(join(directory, "0003_breaking.sql"));
  const { refusal, sentence } = await refusalOf(run());
  expect(refusal).toBe("schema_newer_than_build");
  expect(sentence).toContain("migration 3 (breaking)");
});

test("files with the same number, a wrong name, or a COMMIT of their own are refused before anything runs", async () => {
  await write("0001_first.sql", "CREATE TABLE first (id int);");
  await write("0001_other.sql", "CREATE TABLE other (id int);");
  expect(await refusalOf(run())).toMatchObject({ refusal: "migration_files_invalid" });
  await rm(join(directory, "0001_other.sql"));
  await write("2_second.sql", "SELECT 1;");
  expect(await refusalOf(run())).toMatchObject({ refusal: "migration_files_invalid" });
  await rm(join(directory, "2_second.sql"));
  await write("0002_second.sql", "CREATE TABLE second (id int);\nCOMMIT;");
  expect(await refusalOf(run())).toMatchObject({ refusal: "migration_files_invalid" });
  expect(await tables()).toEqual([]);
});

test("an address without Postgres, a wrong password, a missing database and nonsense each get one clear sentence", async () => {
  await write("0001_first.sql", "SELECT 1;");
  const changed = (change: (url: URL) => void): string => {
    const url = new URL(database.url);
    change(url);
    return url.href;
  };
  const expectSentence = async (url: string, part: string): Promise<void> => {
    const { refusal, sentence } = await refusalOf(run(url));
    expect(refusal).toBe("unreachable");
    expect(sentence).toContain(part);
    expect(sentence).not.toContain(new URL(database.url).password || "no password");
  };
  await expectSentence("postgresql://u:secret@127.0.0.1:1/none", "127.0.0.1:1/none (connection refused)");
  await expectSentence("not a url", "is not a URL");
  await expectSentence(
    changed((url) => {
      url.pathname = "/missing";
    }),
    "does not exist",
  );
  await expectSentence(
    changed((url) => {
      url.password = "wrong";
    }),
    "refused the user name or password",
  );
});

/** A login user with the rights given, and the URL with which it reaches the test's database. */
async function loginUser(rights: string): Promise<{ name: string; url: string }> {
  const name = `login_${Math.random().toString(36).slice(2)}`;
  await database.ownerPool.query(`CREATE ROLE ${name} LOGIN PASSWORD 'pass' ${rights}`);
  const current = new URL(database.url).pathname.slice(1);
  await database.ownerPool.query(
    `GRANT CREATE ON DATABASE ${current} TO ${name}; GRANT CREATE ON SCHEMA public TO ${name}`,
  );
  const url = new URL(database.url);
  url.username = name;
  url.password = "pass";
  return { name, url: url.href };
}

async function removeUser(name: string): Promise<void> {
  await database.ownerPool.query(`DROP OWNED BY ${name} CASCADE; DROP ROLE ${name}`);
}

test("a user without the right to the roles is told what a superuser must grant, and after that it works", async () => {
  await write("0001_first.sql", "CREATE TABLE first (id int); GRANT SELECT ON first TO cardwright_app;");
  const user = await loginUser("");
  try {
    const { refusal, sentence } = await refusalOf(run(user.url));
    expect(refusal).toBe("missing_privilege");
    const grants = sentence.match(/GRANT [^;]+;/gu) ?? [];
    expect(grants).toHaveLength(2);
    for (const grant of grants) {
      await database.ownerPool.query(grant);
    }
    expect((await run(user.url)).applied).toEqual(["first"]);
    const pool = createPool({
      url: user.url,
      role: "cardwright_app",
      max: 1,
      applicationName: "test",
      statementTimeoutMs: 1000,
    });
    expect((await pool.query<{ role: string }>("SELECT current_user AS role FROM first")).rows).toEqual([]);
    await pool.end();
  } finally {
    await removeUser(user.name);
  }
});

test("every migration of this build applies to an empty database and then has nothing left to do", async () => {
  const options = { url: database.url, directory: fileURLToPath(new URL("../../migrations", import.meta.url)), clock };
  const first = await migrate(options);
  expect(first.applied.length).toBeGreaterThan(0);
  expect(await migrate(options)).toEqual({ applied: [], version: first.version });
});
