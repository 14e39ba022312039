import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Sql } from "#database/index.ts";
import { claimDue, findDueMerchants, parkBlocked } from "./delivery-store.ts";
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
  const seen = new Set<number>();
  let afterMerchantId = 0;
  for (let visit = 0; visit < 5; visit += 1) {
    const found = await findDueMerchants(database.pool, { nowMs, afterMerchantId });
    for (const { merchantId } of found.due) {
      seen.add(merchantId);
    }
    afterMerchantId = found.nextAfterMerchantId;
  }
  expect(seen.size).toBe(201);
  expect(seen).not.toContain(50);
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
  const claimed = [one, other, next].map((claim) => claim.claimed);
  expect(one.claimed.filter(({ merchantId }) => merchantId === flooding).length).toBeLessThanOrEqual(16);
  const ids = claimed.flat().map(({ callbackId }) => callbackId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(claimed.flat().filter(({ merchantId }) => merchantId === 101)).toHaveLength(1);
});

test("pushes that wait for an earlier one are moved out of the way until they may pass it, and only while it is open", async () => {
  const card = [1, 2, 3].map((sequence) => ({ sequence, id: `00000000-0000-7000-8000-00000000000${sequence}` }));
  await database.pool.query(
    `INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, data, created_at, due_at)
     SELECT 7, i, 'C', s, 'Card_update', '{}', $1, $1 FROM unnest($2::uuid[], $3::bigint[]) AS u (i, s)`,
    [nowMs, card.map(({ id }) => id), card.map(({ sequence }) => sequence)],
  );
  const claim = await claimDue(database.pool, { nowMs, shares: [{ merchantId: 7, slots: 16 }] });
  expect(claim.claimed.map(({ sequence }) => sequence)).toEqual([1]);
  expect(claim.blocked).toHaveLength(2);
  await database.pool.query("UPDATE callback SET state = 'Delivered', finished_at = $1 WHERE callback_id = $2", [
    nowMs,
    card[0]?.id,
  ]);
  // The third still waits for the second; the second's blocker is gone, so it must not be moved.
  expect(await parkBlocked(database.pool, { nowMs, blocked: claim.blocked })).toBe(1);
  const { rows } = await database.pool.query("SELECT due_at FROM callback WHERE merchant_id = 7 ORDER BY sequence");
  expect(rows.map(({ due_at }) => Number(due_at) - nowMs)).toEqual([0, 0, 600_000]);
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
  const nothingDueMs = nowMs - 2_000;
  expect(await pagesTouched((sql) => findDueMerchants(sql, { nowMs: nothingDueMs, afterMerchantId: 0 }))).toBeLessThan(
    10,
  );
});
