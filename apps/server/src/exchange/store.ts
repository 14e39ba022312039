import { formatRate, isCurrency, parseRate } from "@cardwright/money";
import type { Sql } from "#database/index.ts";
import type { ExchangeRate } from "./exchange-rate.ts";

interface RateRow {
  currency: string;
  valid_from: bigint;
  rate: string;
  source: string;
  created_at: bigint;
}

const columns = "currency, valid_from, rate, source, created_at";

function toRate(row: RateRow): ExchangeRate {
  const rate = parseRate(row.rate);
  if (!isCurrency(row.currency) || !rate.ok) {
    throw new Error(`exchange: the rate of ${row.currency} cannot be read`);
  }
  return {
    currency: row.currency,
    rate: rate.value,
    source: row.source,
    validFrom: Number(row.valid_from),
    createdAt: Number(row.created_at),
  };
}

/** Writes rates down; one that says again what its moment's rate says already is left out. Answers the currencies that were written. */
export async function insertRates(
  sql: Sql,
  rates: readonly (ExchangeRate & { readonly rateId: string })[],
): Promise<string[]> {
  const { rows } = await sql.query<{ currency: string }>(
    `INSERT INTO exchange_rate (currency, valid_from, rate_id, rate, source, created_at)
     SELECT n.currency, n.valid_from, n.rate_id, n.rate, n.source, n.created_at
     FROM unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::bigint[])
       AS n (currency, valid_from, rate_id, rate, source, created_at)
     LEFT JOIN LATERAL (
       SELECT rate, source FROM exchange_rate e
       WHERE e.currency = n.currency AND e.valid_from = n.valid_from ORDER BY e.rate_id DESC LIMIT 1
     ) present ON true
     WHERE (present.rate, present.source) IS DISTINCT FROM (n.rate, n.source)
     ON CONFLICT DO NOTHING
     RETURNING currency`,
    [
      rates.map((rate) => rate.currency),
      rates.map((rate) => rate.validFrom),
      rates.map((rate) => rate.rateId),
      rates.map((rate) => formatRate(rate.rate)),
      rates.map((rate) => rate.source),
      rates.map((rate) => rate.createdAt),
    ],
  );
  return rows.map((row) => row.currency);
}

/** The rate that is valid at a moment: of the latest valid_from the last that was written. One index walk of one row. */
export async function selectRateAt(
  sql: Sql,
  wanted: { readonly currency: string; readonly at: number },
): Promise<ExchangeRate | null> {
  const { rows } = await sql.query<RateRow>({
    name: "exchange_rate_at",
    text: `SELECT ${columns} FROM exchange_rate WHERE currency = $1 AND valid_from <= $2
           ORDER BY valid_from DESC, rate_id DESC LIMIT 1`,
    values: [wanted.currency, wanted.at],
  });
  return rows[0] === undefined ? null : toRate(rows[0]);
}

/** The same for several currencies; those without a rate are left out. */
export async function selectRatesAt(
  sql: Sql,
  wanted: { readonly currencies: readonly string[]; readonly at: number },
): Promise<ExchangeRate[]> {
  const { rows } = await sql.query<RateRow>(
    `SELECT e.* FROM unnest($1::text[]) AS w (currency)
     CROSS JOIN LATERAL (
       SELECT ${columns} FROM exchange_rate e WHERE e.currency = w.currency AND e.valid_from <= $2
       ORDER BY e.valid_from DESC, e.rate_id DESC LIMIT 1
     ) e`,
    [wanted.currencies, wanted.at],
  );
  return rows.map(toRate);
}

/** The currencies that have a row, in order: a jump through the index for each, however many rows it has. */
export async function selectCurrencies(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ currency: string }>(
    `WITH RECURSIVE known AS (
       (SELECT currency FROM exchange_rate ORDER BY currency LIMIT 1)
       UNION ALL
       SELECT (SELECT e.currency FROM exchange_rate e WHERE e.currency > k.currency ORDER BY e.currency LIMIT 1)
       FROM known k WHERE k.currency IS NOT NULL
     )
     SELECT currency FROM known WHERE currency IS NOT NULL ORDER BY currency`,
  );
  return rows.map((row) => row.currency);
}

/** All rows of a currency: those that will be valid first, then the valid one, then what was. */
export async function selectHistory(
  sql: Sql,
  filter: { readonly currency: string; readonly page: number; readonly size: number },
): Promise<ExchangeRate[]> {
  const { rows } = await sql.query<RateRow>(
    `SELECT ${columns} FROM exchange_rate WHERE currency = $1 ORDER BY valid_from DESC, rate_id DESC LIMIT $2 OFFSET $3`,
    [filter.currency, filter.size, filter.page * filter.size],
  );
  return rows.map(toRate);
}
