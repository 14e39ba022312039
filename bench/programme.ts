import { readFile } from "node:fs/promises";
import { type MerchantMode, ZERO_FEE_DETAIL } from "@cardwright/contract";
import type { PoolClient } from "pg";
import { openOwnerPool } from "./postgres.ts";
import { programmeSteps } from "./programme-steps.ts";

/** A card programme that has been running for 89 days. */
export interface ProgrammePlan {
  readonly mode: MerchantMode;
  readonly merchants: number;
  /** Spread evenly over the merchants, one per cardholder. */
  readonly cards: number;
  /** Purchases of those days, spread evenly over the cards, each cleared; with their ledger history. */
  readonly consumptions: number;
  /** The end of the days, Unix ms: an hour ago or more, so that the last purchase is cleared by now. */
  readonly endsAt: number;
}

/** Told what is being built and how far it is. */
export type OnStep = (step: string) => void;

export interface BuiltProgramme {
  readonly rows: number;
  readonly seconds: number;
}

/** The package's and the BIN's terms: a realistic fee on either side, limits that never decide. */
const packageRates = { ...ZERO_FEE_DETAIL, consume_rate: "0.01", atm_rate: "0.02", atm_min_fee: "1.00" };
const binRates = { ...ZERO_FEE_DETAIL, consume_rate: "0.005", atm_rate: "0.01", atm_min_fee: "0.50" };

/**
 * Builds the programme in a migrated, empty database: one statement per table, so that a million cards take a minute. Balances
 * and postings agree (`verifyLedger` finds nothing), numbers have the platform's form and sort by time. Indexes and keys are
 * taken off and put back from the catalogue: filling them row by row took four times as long at ten million rows.
 */
export async function buildProgramme(url: string, plan: ProgrammePlan, onStep: OnStep): Promise<BuiltProgramme> {
  const pool = openOwnerPool(url);
  const startedMs = performance.now();
  try {
    const client = await pool.connect();
    try {
      const rows = await fill(client, plan, onStep);
      return { rows, seconds: (performance.now() - startedMs) / 1000 };
    } finally {
      client.release();
    }
  } finally {
    await pool.end();
  }
}

async function fill(client: PoolClient, plan: ProgrammePlan, onStep: OnStep): Promise<number> {
  await client.query(await readFile(new URL("programme.sql", import.meta.url), "utf8"));
  await client.query("SET synchronous_commit = off");
  await client.query("SET work_mem = '512MB'");
  await client.query("SET maintenance_work_mem = '1GB'");
  // Off for this session only: every row is written by the statements below, and verify looks at all of them afterwards.
  await client.query("SET session_replication_role = replica");
  let rows = 0;
  for (const step of programmeSteps(plan, { packageRates, binRates })) {
    onStep(`${step.name} (${rows.toLocaleString("en")} rows so far)`);
    const indexes = step.rebuild === null ? [] : await takeIndexesOff(client, step.rebuild);
    const result = await client.query(step.sql, step.values);
    rows += result.rowCount ?? 0;
    for (const definition of indexes) {
      onStep(`${step.name}: ${definition.slice(0, 80)}`);
      await client.query(definition);
    }
  }
  onStep("vacuum and analyze");
  await client.query("VACUUM ANALYZE");
  return rows;
}

interface IndexRow {
  readonly drop: string;
  readonly create: string;
}

/** Drops a table's keys and indexes; answers the statements that bring them back. */
export async function takeIndexesOff(client: PoolClient, tableName: string): Promise<string[]> {
  const { rows } = await client.query<IndexRow>(
    `SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname) AS drop,
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid)) AS create
     FROM pg_constraint c WHERE c.conrelid = $1::regclass AND c.contype IN ('p', 'u')
       AND NOT EXISTS (SELECT 1 FROM pg_constraint f WHERE f.contype = 'f' AND f.conindid = c.conindid)
     UNION ALL
     SELECT format('DROP INDEX %s', i.indexrelid::regclass), pg_get_indexdef(i.indexrelid)
     FROM pg_index i WHERE i.indrelid = $1::regclass
       AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid)`,
    [tableName],
  );
  for (const { drop } of rows) {
    await client.query(drop);
  }
  return rows.map(({ create }) => create);
}

/** A card that a benchmark buys with; `pan` is only a name for it, the vault is not part of the measurement. */
export interface ProgrammeCard {
  readonly pan: string;
  readonly merchantId: number;
  readonly cardNo: string;
}

/** At most `limit` cards of the programme, evenly spread over all of them. */
export async function programmeCards(url: string, limit: number): Promise<ProgrammeCard[]> {
  const pool = openOwnerPool(url);
  try {
    const { rows } = await pool.query<ProgrammeCard>(
      `SELECT '4' || lpad(card_index::text, 15, '0') AS pan, merchant_id AS "merchantId", card_no AS "cardNo" FROM bench.card
       WHERE card_index % greatest(1, (SELECT count(*) FROM bench.card) / $1) = 0 ORDER BY card_index LIMIT $1`,
      [limit],
    );
    return rows;
  } finally {
    await pool.end();
  }
}
