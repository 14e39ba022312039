import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPool, isUnavailable } from "./index.ts";
import { withRole } from "./pool.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ schema: "empty" });
});
afterAll(() => database.drop());

test("a pool works as its role from the first statement on, and still after RESET ALL", async () => {
  const client = await database.pool.connect();
  const role = async (): Promise<unknown> =>
    (await client.query<{ role: string }>("SELECT current_user AS role")).rows[0];
  try {
    expect(await role()).toEqual({ role: "cardwright_app" });
    await client.query("RESET ALL");
    expect(await role()).toEqual({ role: "cardwright_app" });
  } finally {
    client.release();
  }
  const vault = await database.vaultPool.query<{ role: string }>("SELECT current_user AS role");
  expect(vault.rows[0]).toEqual({ role: "cardwright_vault" });
});

test("start-up options of the URL are kept beside the role", async () => {
  const url = new URL(database.url);
  url.searchParams.set("options", "-c work_mem=5MB -c search_path=a,b");
  const pool = createPool({
    url: url.href,
    role: "cardwright_app",
    max: 1,
    applicationName: "test",
    statementTimeoutMs: 1000,
  });
  try {
    const answer = await pool.query<Record<string, string>>(
      "SELECT current_user AS role, current_setting('work_mem') AS memory, current_setting('search_path') AS path",
    );
    expect(answer.rows[0]).toEqual({ role: "cardwright_app", memory: "5MB", path: "a,b" });
  } finally {
    await pool.end();
  }
  expect(new URL(withRole("postgresql://h/d?sslmode=require", "cardwright_vault")).searchParams.get("sslmode")).toBe(
    "require",
  );
});

test("int8 comes and goes as an exact bigint, alone and in arrays, beyond what a number holds", async () => {
  const large = 9_223_372_036_854_775_807n;
  const answer = await database.pool.query<Record<string, unknown>>(
    "SELECT $1::int8 AS one, $2::int8[] AS many, '{}'::int8[] AS none, ARRAY[1, NULL]::int8[] AS gap, 7::int4 AS small",
    [large, [large, -large, 0n]],
  );
  expect(answer.rows[0]).toEqual({ one: large, many: [large, -large, 0n], none: [], gap: [1n, null], small: 7 });
});

test("a statement that runs longer than the pool allows is ended by the server", async () => {
  const pool = createPool({
    url: database.url,
    role: "cardwright_app",
    max: 1,
    applicationName: "test",
    statementTimeoutMs: 50,
  });
  try {
    await expect(pool.query("SELECT pg_sleep(20)")).rejects.toMatchObject({ code: "57014" });
    expect((await pool.query<{ one: number }>("SELECT 1 AS one")).rows[0]?.one).toBe(1);
  } finally {
    await pool.end();
  }
});

test("an idle connection that the server ends is reported and replaced, and nothing is thrown", async () => {
  const errors: Error[] = [];
  const pool = createPool({
    url: database.url,
    role: "cardwright_app",
    max: 1,
    applicationName: "test",
    statementTimeoutMs: 1000,
    onConnectionError: (error) => errors.push(error),
  });
  try {
    const before = await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    await database.ownerPool.query("SELECT pg_terminate_backend($1)", [before.rows[0]?.pid]);
    await expect.poll(() => errors.length).toBe(1);
    expect(isUnavailable(errors[0])).toBe(true);
    const after = await pool.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    expect(after.rows[0]?.pid).not.toBe(before.rows[0]?.pid);
  } finally {
    await pool.end();
  }
});

test("a server that is not there is recognised as unavailable", async () => {
  const pool = createPool({
    url: "postgresql://nobody:secret@127.0.0.1:1/none",
    role: "cardwright_app",
    max: 1,
    applicationName: "test",
    statementTimeoutMs: 1000,
  });
  const error: unknown = await pool.query("SELECT 1").catch((thrown: unknown) => thrown);
  expect(isUnavailable(error)).toBe(true);
  await pool.end();
});
