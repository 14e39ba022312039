import { createHash } from "node:crypto";
import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import { verify as bounds } from "../limits.ts";

/** One broken rule with the rows that break it, at most `verify.brokenRowsMax` of each. */
export interface BrokenRule {
  readonly rule: string;
  readonly rows: readonly string[];
}

export interface LedgerReport {
  readonly ok: boolean;
  readonly accounts: number;
  readonly transactions: number;
  readonly postings: number;
  readonly openHolds: number;
  /** SHA-256 over every posting in key order: two databases with the same history have the same digest. */
  readonly digest: string;
  readonly broken: readonly BrokenRule[];
}

/** A rule and the query that finds what breaks it: it answers one text a row. */
interface Rule {
  readonly name: string;
  readonly sql: string;
}

const sides = `
  SELECT merchant_id, source_account_id AS account_id, source_held AS is_held, -amount AS amount FROM ledger.posting
  UNION ALL
  SELECT merchant_id, destination_account_id, destination_held, amount FROM ledger.posting`;

const rules: readonly Rule[] = [
  {
    name: "balances sum to zero per currency",
    sql: `SELECT format('merchant %s %s sums to %s', merchant_id, currency, sum(available + held)) AS row
          FROM ledger.account GROUP BY merchant_id, currency HAVING sum(available + held) <> 0`,
  },
  {
    name: "a balance is the fold of its postings",
    sql: `SELECT format('merchant %s account %s shows %s/%s, postings say %s/%s', merchant_id, account_id, a.available, a.held, f.available, f.held) AS row
          FROM ledger.account a
          FULL JOIN (
            SELECT merchant_id, account_id, coalesce(sum(amount) FILTER (WHERE NOT is_held), 0) AS available,
                   coalesce(sum(amount) FILTER (WHERE is_held), 0) AS held
            FROM (${sides}) s GROUP BY merchant_id, account_id
          ) f USING (merchant_id, account_id)
          WHERE a.available IS DISTINCT FROM coalesce(f.available, 0) OR a.held IS DISTINCT FROM coalesce(f.held, 0)`,
  },
  {
    name: "what is held is the sum of the open holds",
    sql: `SELECT format('merchant %s account %s holds %s, open holds say %s', merchant_id, account_id, a.held, h.amount) AS row
          FROM ledger.account a
          FULL JOIN (SELECT merchant_id, account_id, sum(amount) AS amount FROM ledger.hold GROUP BY merchant_id, account_id) h
            USING (merchant_id, account_id)
          WHERE coalesce(a.held, -1) <> coalesce(h.amount, 0)`,
  },
  {
    name: "no balance is below its floor but by an overdraft of exactly that much",
    sql: `SELECT format('merchant %s account %s shows %s, its floor is %s, its overdraft %s', merchant_id, account_id, available, floor, overdraft) AS row
          FROM ledger.account WHERE available < floor - overdraft OR overdraft > greatest(0, coalesce(floor - available, 0)) OR held < 0`,
  },
  {
    name: "every transaction has all of its postings",
    sql: `SELECT format('merchant %s transaction %s should have %s postings, has %s', merchant_id, transaction_id, t.postings, p.count) AS row
          FROM ledger.transaction t
          FULL JOIN (
            SELECT merchant_id, transaction_id, count(*) AS count, max(line) AS last FROM ledger.posting GROUP BY merchant_id, transaction_id
          ) p USING (merchant_id, transaction_id)
          WHERE t.postings IS DISTINCT FROM p.count OR p.last IS DISTINCT FROM t.postings`,
  },
  {
    name: "a posting moves money between accounts of its own currency",
    sql: `SELECT format('merchant %s transaction %s line %s', p.merchant_id, p.transaction_id, p.line) AS row
          FROM ledger.posting p
          LEFT JOIN ledger.account s ON s.merchant_id = p.merchant_id AND s.account_id = p.source_account_id
          LEFT JOIN ledger.account d ON d.merchant_id = p.merchant_id AND d.account_id = p.destination_account_id
          WHERE s.currency IS DISTINCT FROM p.currency OR d.currency IS DISTINCT FROM p.currency`,
  },
];

/**
 * Recomputes every balance from the first posting and checks every invariant of the ledger, on one consistent snapshot while the
 * platform goes on. `extraRules` lets the rooms above add what they know about their own rows.
 */
export async function verifyLedger(
  pool: Pool,
  options: { readonly extraRules?: readonly Rule[]; readonly onProgress?: (step: string) => void } = {},
): Promise<LedgerReport> {
  return inTransaction(pool, async (sql) => inspect(sql, options), { isolation: "REPEATABLE READ" });
}

async function inspect(
  sql: Sql,
  options: { readonly extraRules?: readonly Rule[]; readonly onProgress?: (step: string) => void },
): Promise<LedgerReport> {
  const broken: BrokenRule[] = [];
  for (const rule of [...rules, ...(options.extraRules ?? [])]) {
    options.onProgress?.(rule.name);
    const { rows } = await sql.query<{ row: string }>(`${rule.sql} LIMIT ${bounds.brokenRowsMax}`);
    if (rows.length > 0) {
      broken.push({ rule: rule.name, rows: rows.map(({ row }) => row) });
    }
  }
  options.onProgress?.("digest of all postings");
  const digest = await digestOfPostings(sql);
  const { rows } = await sql.query<{ accounts: bigint; transactions: bigint; holds: bigint }>(
    `SELECT (SELECT count(*) FROM ledger.account) AS accounts, (SELECT count(*) FROM ledger.transaction) AS transactions,
            (SELECT count(DISTINCT (merchant_id, hold_id)) FROM ledger.hold) AS holds`,
  );
  const counts = rows[0] ?? { accounts: 0n, transactions: 0n, holds: 0n };
  return {
    ok: broken.length === 0,
    accounts: Number(counts.accounts),
    transactions: Number(counts.transactions),
    openHolds: Number(counts.holds),
    postings: digest.postings,
    digest: digest.hex,
    broken,
  };
}

/** Postgres hashes each piece and we chain the hashes: a posting never travels, so ten million take a minute and no memory. */
async function digestOfPostings(sql: Sql): Promise<{ readonly hex: string; readonly postings: number }> {
  const chain = createHash("sha256");
  let after: readonly [number, string, number] = [0, "00000000-0000-0000-0000-000000000000", 0];
  let postings = 0;
  for (;;) {
    const { rows } = await sql.query<{ hash: string; count: bigint; last: [number, string, number] | null }>(
      `SELECT encode(sha256(convert_to(coalesce(string_agg(concat_ws(',', merchant_id, transaction_id, line, source_account_id, source_held,
                destination_account_id, destination_held, amount, currency), E'\\n' ORDER BY merchant_id, transaction_id, line), ''), 'UTF8')), 'hex') AS hash,
              count(*) AS count,
              (array_agg(jsonb_build_array(merchant_id, transaction_id, line) ORDER BY merchant_id DESC, transaction_id DESC, line DESC))[1] AS last
       FROM (SELECT * FROM ledger.posting WHERE (merchant_id, transaction_id, line) > ($1, $2, $3)
             ORDER BY merchant_id, transaction_id, line LIMIT $4) piece`,
      [...after, bounds.digestPiece],
    );
    const piece = rows[0];
    if (piece === undefined || piece.last === null) {
      return { hex: chain.digest("hex"), postings };
    }
    chain.update(piece.hash);
    postings += Number(piece.count);
    after = piece.last;
  }
}
