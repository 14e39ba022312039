import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Sql } from "#database/index.ts";
import { claimDue, parkBlocked } from "./claim-store.ts";
import { findDueMerchants } from "./due-store.ts";
import { movableClock } from "./room.testing.ts";

const nowMs = movableClock().now();
const flooding = 1;
const waitingOnly = 50_000;
let database: TestDatabase;

/** 100,000 due pushes of one merchant, older than all others; 200 merchants with one each; 50,000 that wait for later. */
beforeAll(async () => {
  database = await createTestDatabase();
  const insert = `INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, data, created_at, due_at)`;
  const { pool } = database;
  await pool.query(
    `${insert} SELECT $1, gen_random_uuid(), 'C' || i % 10000, 1 + i / 10000, 'Card_update', '{}', $2, $2 FROM generate_series(0, 99999) i`,
    [flooding, nowMs - 1_000],
  );
  await pool.query(
    `${insert} SELECT 100 + i, gen_random_uuid(), 'C', 1, 'Card_update', '{}', $1, $1 FROM generate_series(1, 200) i`,
    [nowMs],
  );
  await pool.query(
    `${insert} SELECT 50, gen_random_uuid(), 'C' || i, 1, 'Card_update', '{}', $1::bigint, $1::bigint + 1000000 FROM generate_series(1, $2::integer) i`,
    [nowMs, waitingOnly],
  );
});
afterAll(() => database.drop());

test("one merchant's long line of older pushes keeps no other merchant from its turn", async () => {
  const { due, nextAfterMerchantId } = await findDueMerchants(database.pool, { nowMs, afterMerchantId: 0 });
  expect(due).toHaveLength(201);
  expect(due.map(({ merchantId }) => merchantId)).not.toContain(50);
  expect(nextAfterMerchantId).toBe(0);
});

test("more merchants than one look visits come in turn, each once", async () => {
  const others = await createTestDatabase();
  await others.pool.query(
    `INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, data, created_at, due_at)
     SELECT i, gen_random_uuid(), 'C', 1, 'Card_update', '{}', $1, $1 FROM generate_series(1, 1100) i`,
    [nowMs],
  );
  const seen: number[] = [];
  let afterMerchantId = 0;
  do {
    const found = await findDueMerchants(others.pool, { nowMs, afterMerchantId });
    seen.push(...found.due.map(({ merchantId }) => merchantId));
    afterMerchantId = found.nextAfterMerchantId;
  } while (afterMerchantId !== 0);
  await others.drop();
  expect(seen).toEqual(Array.from({ length: 1_100 }, (_, i) => i + 1));
});

test("a merchant that is paused or has asked for patience has nothing due", async () => {
  await database.pool.query(
    `INSERT INTO callback_endpoint (merchant_id, paused_by, paused_at, held_until)
     VALUES (101, 'operator', $1, 0), (102, '', NULL, $1::bigint + 1), (103, '', NULL, $1)`,
    [nowMs],
  );
  const { due } = await findDueMerchants(database.pool, { nowMs, afterMerchantId: 100 });
  await database.pool.query("DELETE FROM callback_endpoint");
  expect(due.map(({ merchantId }) => merchantId).slice(0, 2)).toEqual([103, 104]);
});

test("a claim takes no more than each merchant's share, and a second claim takes none of the same", async () => {
  const shares = [
    { merchantId: flooding, slots: 16 },
    { merchantId: 101, slots: 16 },
    { merchantId: 102, slots: 16 },
  ];
  const [one, other] = await Promise.all([
    claimDue(database.pool, { nowMs, shares }),
    claimDue(database.pool, { nowMs, shares }),
  ]);
  const next = await claimDue(database.pool, { nowMs, shares });
  const claimed = [one, other, next];
  expect(one.filter(({ merchantId }) => merchantId === flooding).length).toBeLessThanOrEqual(16);
  const ids = claimed.flat().map(({ callbackId }) => callbackId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(claimed.flat().filter(({ merchantId }) => merchantId === 101)).toHaveLength(1);
});

/** Pushes of one card, numbered from 1. */
async function insertCard(merchantId: number, count: number): Promise<void> {
  await database.pool.query(
    `INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, data, created_at, due_at)
     SELECT $1, gen_random_uuid(), 'C', s, 'Card_update', '{}', $2, $2 FROM generate_series(1, $3::integer) s`,
    [merchantId, nowMs, count],
  );
}

async function claimOf(merchantId: number, slots: number): Promise<number[]> {
  const claimed = await claimDue(database.pool, { nowMs, shares: [{ merchantId, slots }] });
  return claimed.map(({ sequence }) => sequence);
}

test("of a card the first free pushes are claimed as a run, and what follows waits for them", async () => {
  await insertCard(7, 20);
  expect(await claimOf(7, 4)).toEqual([1, 2, 3, 4]);
  expect(await claimOf(7, 16)).toEqual([]);
  await insertCard(6, 20);
  expect(await claimOf(6, 16)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
});

test("a run ends before a push that is not due and after one that has failed", async () => {
  await insertCard(8, 6);
  await database.pool.query("UPDATE callback SET due_at = due_at + 1 WHERE merchant_id = 8 AND sequence = 3");
  expect(await claimOf(8, 16)).toEqual([1, 2]);
  await insertCard(9, 6);
  await database.pool.query(
    "UPDATE callback SET failures = 1, first_failed_at = due_at WHERE merchant_id = 9 AND sequence = 1",
  );
  expect(await claimOf(9, 16)).toEqual([1]);
  await insertCard(10, 6);
  await database.pool.query(
    "UPDATE callback SET failures = 1, first_failed_at = due_at - 600000, due_at = due_at + 1 WHERE merchant_id = 10 AND sequence < 3",
  );
  expect(await claimOf(10, 16)).toEqual([3, 4, 5, 6]);
});

test("a push behind one that another worker is just claiming is not claimed before it", async () => {
  await insertCard(11, 3);
  const other = await database.pool.connect();
  await other.query("BEGIN");
  await other.query("SELECT 1 FROM callback WHERE merchant_id = 11 AND sequence = 2 FOR NO KEY UPDATE");
  expect(await claimOf(11, 16)).toEqual([1]);
  await other.query("ROLLBACK");
  other.release();
});

test("pushes that wait for an earlier one are moved out of the way until they may pass it, unless it is just being finished", async () => {
  await insertCard(12, 4);
  await database.pool.query("UPDATE callback SET lease_until = $1 WHERE merchant_id = 12 AND sequence = 1", [
    nowMs + 1,
  ]);
  const shares = [{ merchantId: 12, slots: 16 }];
  expect(await claimDue(database.pool, { nowMs, shares })).toEqual([]);
  const finishing = await database.pool.connect();
  await finishing.query("BEGIN");
  await finishing.query("DELETE FROM callback WHERE merchant_id = 12 AND sequence = 1");
  const parked = await parkBlocked(database.pool, { nowMs, shares });
  await finishing.query("COMMIT");
  finishing.release();
  // The third and the fourth wait for others, which are not being finished.
  expect(parked).toBe(2);
  const { rows } = await database.pool.query(
    "SELECT due_at, waits_since FROM callback WHERE merchant_id = 12 ORDER BY sequence",
  );
  const away = { due_at: BigInt(nowMs + 600_000), waits_since: BigInt(nowMs) };
  expect(rows).toEqual([{ due_at: BigInt(nowMs), waits_since: null }, away, away]);
});

/** Pages of tables and indexes that a statement touches: the same on every machine, unlike its time. */
async function pagesTouched(work: (sql: Sql) => Promise<unknown>): Promise<number> {
  let pages = 0;
  await work({
    query: async (statement) => {
      const { text, values } = typeof statement === "string" ? { text: statement, values: [] } : statement;
      const explained = await database.pool.query(`EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) ${text}`, values);
      const { Plan: plan } = explained.rows[0]["QUERY PLAN"][0];
      pages += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"];
      return { rows: [], rowCount: 0, command: "EXPLAIN", oid: 0, fields: [] };
    },
  });
  return pages;
}

test.each([
  ["fresh", ""],
  ["after ANALYZE", "ANALYZE callback"],
])("looking and claiming touch few pages however long the lines are: %s", async (_name, first) => {
  await database.ownerPool.query(first);
  const shares = [{ merchantId: flooding, slots: 16 }];
  expect(await pagesTouched((sql) => findDueMerchants(sql, { nowMs, afterMerchantId: 0 }))).toBeLessThan(1_000);
  expect(await pagesTouched((sql) => claimDue(sql, { nowMs, shares }))).toBeLessThan(2_000);
  expect(await pagesTouched((sql) => parkBlocked(sql, { nowMs, shares }))).toBeLessThan(2_000);
  const nothingDueMs = nowMs - 2_000;
  expect(await pagesTouched((sql) => findDueMerchants(sql, { nowMs: nothingDueMs, afterMerchantId: 0 }))).toBeLessThan(
    2_000,
  );
});
