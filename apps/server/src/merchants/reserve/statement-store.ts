import type { Sql } from "#database/index.ts";
import {
  type LineSums,
  type ReserveBalance,
  type ReserveStatement,
  type StatementLine,
  statementLines,
} from "./statement.ts";

interface StatementRow {
  day: number;
  from_at: bigint;
  until_at: bigint;
  opening_available: bigint;
  opening_held: bigint;
  closing_available: bigint;
  closing_held: bigint;
  lines: StoredLines;
  revision: number;
}

/** JSON numbers would lose cents of large sums. */
type StoredLines = Partial<Record<StatementLine, { postings: string; available: string; held: string }>>;

const columns = `day, from_at, until_at, opening_available, opening_held, closing_available, closing_held, lines, revision`;

function toStatement(row: StatementRow): ReserveStatement {
  return {
    day: row.day,
    fromAt: Number(row.from_at),
    untilAt: Number(row.until_at),
    opening: { available: row.opening_available, held: row.opening_held },
    closing: { available: row.closing_available, held: row.closing_held },
    lines: linesFrom(row.lines),
    revision: row.revision,
  };
}

function linesFrom(stored: StoredLines): LineSums {
  const lines: LineSums = {};
  for (const line of statementLines) {
    const sum = stored[line];
    if (sum === undefined) continue;
    lines[line] = { postings: BigInt(sum.postings), available: BigInt(sum.available), held: BigInt(sum.held) };
  }
  return lines;
}

function linesText(lines: LineSums): string {
  return JSON.stringify(lines, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value));
}

export async function insertStatements(
  sql: Sql,
  closed: { merchantId: number; statements: readonly ReserveStatement[]; at: number },
): Promise<void> {
  const { merchantId, statements, at } = closed;
  await sql.query(
    `INSERT INTO reserve_statement (merchant_id, ${columns}, closed_at, changed_at)
     SELECT $1, u.*, $2, $2
     FROM unnest($3::integer[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::jsonb[], $11::integer[])
       AS u`,
    [
      merchantId,
      at,
      statements.map(({ day }) => day),
      statements.map(({ fromAt }) => fromAt),
      statements.map(({ untilAt }) => untilAt),
      statements.map(({ opening }) => opening.available),
      statements.map(({ opening }) => opening.held),
      statements.map(({ closing }) => closing.available),
      statements.map(({ closing }) => closing.held),
      statements.map(({ lines }) => linesText(lines)),
      statements.map(({ revision }) => revision),
    ],
  );
}

/** New lines for one day, and the difference that they make for the balances of that day's end and of all later days. */
export async function restateDay(
  sql: Sql,
  change: { merchantId: number; day: number; lines: LineSums; difference: ReserveBalance; at: number },
): Promise<void> {
  const { merchantId, day, lines, difference, at } = change;
  await sql.query(
    `UPDATE reserve_statement SET lines = CASE WHEN day = $2 THEN $3::jsonb ELSE lines END,
       opening_available = opening_available + CASE WHEN day = $2 THEN 0 ELSE $4::bigint END,
       opening_held = opening_held + CASE WHEN day = $2 THEN 0 ELSE $5::bigint END,
       closing_available = closing_available + $4::bigint, closing_held = closing_held + $5::bigint,
       revision = revision + 1, changed_at = $6
     WHERE merchant_id = $1 AND (day = $2 OR day > $2 AND ($4::bigint <> 0 OR $5::bigint <> 0))`,
    [merchantId, day, linesText(lines), difference.available, difference.held, at],
  );
}

/** Rising days, both ends included. */
export async function selectStatements(
  sql: Sql,
  range: { merchantId: number; fromDay: number; toDay: number; limit: number },
): Promise<ReserveStatement[]> {
  const { rows } = await sql.query<StatementRow>(
    `SELECT ${columns} FROM reserve_statement WHERE merchant_id = $1 AND day BETWEEN $2 AND $3 ORDER BY day LIMIT $4`,
    [range.merchantId, range.fromDay, range.toDay, range.limit],
  );
  return rows.map(toStatement);
}

/** The days before `day`, the latest first. */
export async function selectStatementsBefore(
  sql: Sql,
  range: { merchantId: number; day: number; limit: number },
): Promise<ReserveStatement[]> {
  const { rows } = await sql.query<StatementRow>(
    `SELECT ${columns} FROM reserve_statement WHERE merchant_id = $1 AND day < $2 ORDER BY day DESC LIMIT $3`,
    [range.merchantId, range.day, range.limit],
  );
  return rows.map(toStatement);
}

/** For `verify`: what the stored days say of themselves and of each other. */
export const statementRules = [
  {
    name: "a day of a reserve begins as the one before ended, and its lines make its closing",
    sql: `SELECT format('merchant %s day %s: opening %s/%s, lines %s/%s, closing %s/%s; the day before: %s/%s', s.merchant_id, s.day,
              opening_available, opening_held, l.available, l.held, closing_available, closing_held, before_available, before_held) AS row
          FROM (
            SELECT *, lag(until_at, 1, 0::bigint) OVER days AS before_until, lag(day, 1, day - 1) OVER days AS before_day,
              lag(closing_available, 1, 0::bigint) OVER days AS before_available, lag(closing_held, 1, 0::bigint) OVER days AS before_held
            FROM reserve_statement WINDOW days AS (PARTITION BY merchant_id ORDER BY day)
          ) s
          CROSS JOIN LATERAL (
            SELECT coalesce(sum((value->>'available')::bigint), 0) AS available, coalesce(sum((value->>'held')::bigint), 0) AS held
            FROM jsonb_each(s.lines)
          ) l
          WHERE closing_available <> opening_available + l.available OR closing_held <> opening_held + l.held
            OR opening_available <> before_available OR opening_held <> before_held OR from_at <> before_until OR day <> before_day + 1`,
  },
] as const;
