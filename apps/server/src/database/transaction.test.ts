import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createPool, inTransaction, isUnavailable, type Sql } from "./index.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ schema: "empty" });
  await database.ownerPool.query("CREATE TABLE counter (id int PRIMARY KEY, value int NOT NULL CHECK (value < 1000))");
  await database.ownerPool.query("GRANT ALL ON counter TO cardwright_app");
});
beforeEach(async () => {
  await database.ownerPool.query("TRUNCATE counter");
  await database.ownerPool.query("INSERT INTO counter VALUES (1, 0), (2, 0)");
});
afterAll(() => database.drop());

async function valueOf(id: number, sql: Sql = database.pool): Promise<number> {
  const answer = await sql.query<{ value: number }>("SELECT value FROM counter WHERE id = $1", [id]);
  return answer.rows[0]?.value ?? -1;
}

/** What a transaction leaves behind on its connection, the next one gets. */
const poolOfOne = () =>
  createPool({
    url: database.url,
    role: "cardwright_app",
    max: 1,
    applicationName: "test",
    statementTimeoutMs: 5000,
    onConnectionError: () => {},
  });

const add = (sql: Sql, id: number): Promise<unknown> =>
  sql.query("UPDATE counter SET value = value + 1 WHERE id = $1", [id]);

test("what the work did is there after it returns, and its outcome comes back", async () => {
  expect(
    await inTransaction(database.pool, async (sql) => {
      await add(sql, 1);
      return "done";
    }),
  ).toBe("done");
  expect(await valueOf(1)).toBe(1);
});

test("what the work did is gone when it throws, and the connection goes back clean", async () => {
  const bug = new Error("bug");
  await expect(
    inTransaction(database.pool, async (sql) => {
      await add(sql, 1);
      throw bug;
    }),
  ).rejects.toBe(bug);
  expect(await valueOf(1)).toBe(0);
  expect(database.pool.idleCount).toBe(database.pool.totalCount);
  const state = await database.pool.query<{ fresh: boolean }>(
    "SELECT now() = statement_timestamp() AS fresh FROM counter LIMIT 1",
  );
  expect(state.rows[0]?.fresh).toBe(true);
});

test("an outcome that is not to be kept rolls back and is still returned", async () => {
  const outcome = await inTransaction(
    database.pool,
    async (sql) => {
      await add(sql, 1);
      return { ok: false };
    },
    { commitWhen: ({ ok }) => ok },
  );
  expect(outcome).toEqual({ ok: false });
  expect(await valueOf(1)).toBe(0);
});

test("planned by index, no other way is taken, and the connection goes back as it was", async () => {
  const settings = "SELECT current_setting('enable_seqscan') AS scan, current_setting('plan_cache_mode') AS cache";
  const pool = poolOfOne();
  try {
    const work = async (sql: Sql): Promise<readonly unknown[]> => [
      ...(await sql.query("EXPLAIN (COSTS OFF) SELECT FROM counter WHERE id = 1")).rows,
      ...(await sql.query(settings)).rows,
    ];
    expect(await inTransaction(pool, work, { planned: "by_index", isolation: "REPEATABLE READ" })).toEqual([
      { "QUERY PLAN": "Index Only Scan using counter_pkey on counter" },
      { "QUERY PLAN": "  Index Cond: (id = 1)" },
      { scan: "off", cache: "force_generic_plan" },
    ]);
    expect((await pool.query(settings)).rows).toEqual([{ scan: "on", cache: "auto" }]);
  } finally {
    await pool.end();
  }
});

test("a failed statement whose error was swallowed is not reported as a success", async () => {
  await expect(
    inTransaction(database.pool, async (sql) => {
      await add(sql, 1);
      await sql.query("UPDATE counter SET value = 5000").catch(() => {});
    }),
  ).rejects.toThrow("nothing was committed");
  expect(await valueOf(1)).toBe(0);
});

test("of two serializable transactions that collide, the second runs again and sees what the first did", async () => {
  const bothRead = Promise.withResolvers<void>();
  let attempts = 0;
  const increment = (): Promise<void> =>
    inTransaction(
      database.pool,
      async (sql) => {
        const before = await valueOf(1, sql);
        attempts += 1;
        if (attempts === 2) {
          bothRead.resolve();
        }
        await bothRead.promise;
        await sql.query("UPDATE counter SET value = $1 WHERE id = 1", [before + 1]);
      },
      { isolation: "SERIALIZABLE" },
    );
  await Promise.all([increment(), increment()]);
  expect(await valueOf(1)).toBe(2);
  expect(attempts).toBe(3);
});

test("of two transactions that deadlock, the one that Postgres ends runs again", async () => {
  const bothHold = Promise.withResolvers<void>();
  let holding = 0;
  let attempts = 0;
  const crossing = (first: number, second: number): Promise<void> =>
    inTransaction(database.pool, async (sql) => {
      attempts += 1;
      await add(sql, first);
      holding += 1;
      if (holding === 2) {
        bothHold.resolve();
      }
      await bothHold.promise;
      await add(sql, second);
    });
  await Promise.all([crossing(1, 2), crossing(2, 1)]);
  expect([await valueOf(1), await valueOf(2)]).toEqual([2, 2]);
  expect(attempts).toBe(3);
});

test("collisions are retried so many times and no more", async () => {
  let attempts = 0;
  const collision = Object.assign(new Error("could not serialize"), { code: "40001" });
  const work = async (): Promise<never> => {
    attempts += 1;
    throw collision;
  };
  await expect(inTransaction(database.pool, work, { retries: 2 })).rejects.toBe(collision);
  expect(attempts).toBe(3);
  attempts = 0;
  await expect(inTransaction(database.pool, work, { retries: 1000 })).rejects.toBe(collision);
  expect(attempts).toBe(6);
});

test("a connection that broke inside a transaction is thrown away, not given to the next caller", async () => {
  const pool = poolOfOne();
  try {
    const error: unknown = await inTransaction(pool, async (sql) => {
      const own = await sql.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
      await database.ownerPool.query("SELECT pg_terminate_backend($1)", [own.rows[0]?.pid]);
      await add(sql, 1);
    }).catch((thrown: unknown) => thrown);
    expect(isUnavailable(error)).toBe(true);
    expect(pool.totalCount).toBe(0);
    expect(await inTransaction(pool, (sql) => valueOf(1, sql))).toBe(0);
  } finally {
    await pool.end();
  }
});
