import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPool, inTransaction, listen, tell } from "./index.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase({ schema: "empty" });
});

afterAll(() => database.drop());

function ear(options: { readonly channel: string; readonly url?: string }) {
  const pool = createPool({
    url: options.url ?? database.url,
    role: "cardwright_app",
    max: 1,
    applicationName: `ear ${options.channel}`,
    statementTimeoutMs: 1_000,
    onConnectionError: () => undefined,
  });
  const heard: string[] = [];
  const errors: unknown[] = [];
  const counted = { listening: 0 };
  const listening = listen({
    pool,
    channel: options.channel,
    onNotice: (text) => heard.push(text),
    onListening: () => (counted.listening += 1),
    onError: (error) => errors.push(error),
  });
  return {
    heard,
    errors,
    counted,
    stop: async () => {
      await listening.stop();
      await pool.end();
    },
  };
}

const isHeard = { timeout: 20_000, interval: 10 };

test("what was told in a transaction is heard by all who listen once it is committed, in its order, and nothing of another channel", async () => {
  const [one, other, elsewhere] = [ear({ channel: "told" }), ear({ channel: "told" }), ear({ channel: "elsewhere" })];
  const all = [one, other, elsewhere];
  await expect.poll(() => all.map(({ counted }) => counted.listening), isHeard).toEqual([1, 1, 1]);
  await inTransaction(database.pool, async (tx) => {
    await tell(tx, { channel: "told", text: "first" });
    await tell(tx, { channel: "told", text: "second" });
  });
  await tell(database.pool, { channel: "elsewhere", text: "third" });
  await expect
    .poll(() => all.map(({ heard }) => heard), isHeard)
    .toEqual([["first", "second"], ["first", "second"], ["third"]]);
  await Promise.all(all.map((each) => each.stop()));
});

test("what was told in a transaction that was rolled back is never heard", async () => {
  const one = ear({ channel: "undone" });
  await expect.poll(() => one.counted.listening, isHeard).toBe(1);
  const undone = inTransaction(database.pool, async (tx) => {
    await tell(tx, { channel: "undone", text: "never" });
    throw new Error("undone");
  });
  await expect(undone).rejects.toThrow("undone");
  await tell(database.pool, { channel: "undone", text: "afterwards" });
  await expect.poll(() => one.heard, isHeard).toEqual(["afterwards"]);
  await one.stop();
});

test("a connection that breaks is made again, and whoever listens is told that it may have missed something", async () => {
  const one = ear({ channel: "broken" });
  await expect.poll(() => one.counted.listening, isHeard).toBe(1);
  await database.ownerPool.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ear broken'",
  );
  await expect.poll(() => one.counted.listening, isHeard).toBe(2);
  expect(one.errors).toHaveLength(1);
  await tell(database.pool, { channel: "broken", text: "again" });
  await expect.poll(() => one.heard, isHeard).toEqual(["again"]);
  await one.stop();
});

test("without a server it tries again until it is stopped", async () => {
  const one = ear({ channel: "nowhere", url: "postgresql://nobody:secret@127.0.0.1:1/none" });
  await expect.poll(() => one.errors.length, isHeard).toBe(2);
  await one.stop();
  expect(one.counted.listening).toBe(0);
});

test("stopped, it leaves no connection", async () => {
  const one = ear({ channel: "left" });
  await expect.poll(() => one.counted.listening, isHeard).toBe(1);
  await one.stop();
  const connections = async (): Promise<number> =>
    (await database.ownerPool.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'ear left'")).rows.length;
  await expect.poll(connections, isHeard).toBe(0);
});
