import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import type { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPool } from "#database/index.ts";
import { createCallbacks } from "./callbacks.ts";
import { type MerchantServer, startMerchantServer } from "./merchant-server.testing.ts";
import { insertPushes, movableClock, roomOptions, targetAt } from "./room.testing.ts";

/**
 * Postgres makes a plan for the rows that it counted last. The line is empty at one moment and has thousands of pushes at the next, so what
 * was counted says nothing, and how many rows the delivery reads must not depend on it.
 */

const clock = movableClock();
const merchants = 20;
const cardsOfMerchant = 50;
const pushesOfCard = 4;
const pushes = merchants * cardsOfMerchant * pushesOfCard;
/** To look, to claim and to write the result; with a plan for a line of three pushes it was many times as much. */
const readsOfPushMax = 15;

let merchant: MerchantServer;
beforeAll(async () => {
  merchant = await startMerchantServer();
});
afterAll(() => merchant.close());

const insert = `INSERT INTO callback (merchant_id, callback_id, card_no, sequence, action, data, created_at, due_at)`;
const ofMerchants = `${insert} SELECT i, gen_random_uuid(), 'C' || i, 1, 'Card_update', repeat('x', 600), 0, 0 FROM generate_series(1, 2000) i`;
const ofCards = `${insert} SELECT 1 + i % 100, gen_random_uuid(), 'C20260522CARD' || lpad((i * 7919 % 10000)::text, 18, '0'), 1 + i / 10000, 'Card_update', repeat('x', 600), 0, 0 FROM generate_series(0, 19999) i`;
const ofOneCard = `${insert} SELECT 1, gen_random_uuid(), 'C', i, 'Card_update', repeat('x', 600), 0, 0 FROM generate_series(1, 2000) i`;

test.each([
  ["never", ""],
  ["while it was empty", "VACUUM ANALYZE callback"],
  [
    "with three pushes in it",
    `${ofMerchants}; DELETE FROM callback WHERE merchant_id > 3; VACUUM ANALYZE callback; DELETE FROM callback`,
  ],
  [
    "with a few pushes in much space",
    `${ofMerchants}; DELETE FROM callback WHERE merchant_id < 1990; VACUUM (ANALYZE, TRUNCATE off) callback; DELETE FROM callback`,
  ],
  ["in the space that many have left", `${ofCards}; DELETE FROM callback; VACUUM (ANALYZE, TRUNCATE off) callback`],
  ["with one card's pushes in it", `${ofOneCard}; VACUUM ANALYZE callback; DELETE FROM callback`],
])("however the line was when it was counted, a delivery reads as few rows: counted %s", async (_name, statements) => {
  const database = await createTestDatabase();
  const pool = onePool(database);
  await database.ownerPool.query("ALTER TABLE callback SET (autovacuum_enabled = off)");
  for (const statement of statements.split("; ").filter((text) => text !== "")) {
    await database.ownerPool.query(statement);
  }
  await fill(database);
  const before = await rowsRead(pool);
  const room = createCallbacks({ ...roomOptions(database, { clock, target: () => targetAt(merchant.url) }), pool });
  expect(await room.delivery.runDue()).toBe(pushes);
  const reads = (await rowsRead(pool)) - before;
  await room.stop();
  await pool.end();
  await database.drop();
  expect(reads).toBeGreaterThan(pushes);
  expect(reads / pushes).toBeLessThan(readsOfPushMax);
});

/** One connection, whose plans are made once and whose counts are known when it says so. */
function onePool({ url }: TestDatabase): Pool {
  return createPool({
    url,
    role: "cardwright_app",
    max: 1,
    applicationName: "cardwright test",
    statementTimeoutMs: 30_000,
  });
}

async function fill(database: TestDatabase): Promise<void> {
  for (let sequence = 1; sequence <= pushesOfCard; sequence += 1) {
    const batch = Array.from({ length: merchants * cardsOfMerchant }, (_, i) => ({
      merchantId: 1 + (i % merchants),
      cardNo: `C20260522CARD${String(i).padStart(12, "0")}`,
      sequence,
      nowMs: clock.now(),
    }));
    await insertPushes(database, batch);
  }
}

/** Rows of the line that statements of this pool's connection have looked at so far. */
async function rowsRead(pool: Pool): Promise<number> {
  await pool.query("SELECT pg_stat_force_next_flush()");
  const { rows } = await pool.query<{ reads: number }>(
    "SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::float8 AS reads FROM pg_stat_user_tables WHERE relname = 'callback'",
  );
  return rows[0]?.reads ?? 0;
}
