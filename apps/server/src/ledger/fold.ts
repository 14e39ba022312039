import type { Sql } from "#database/index.ts";
import { firstUuid7At } from "#kernel/index.ts";
import { fold as bounds } from "../limits.ts";
import type { AccountKind } from "./accounts.ts";

/** Movements of one account that belong together: how often, and what they did to each bucket in all. Minor units, signed. */
export interface FoldedMovements {
  /** Index of the period, from 0. */
  readonly period: number;
  /** Kind of the transactions. */
  readonly kind: string;
  /** The account on the other side; `placed` and `released` where money only went between the account's own buckets. */
  readonly counterparty: AccountKind | "placed" | "released";
  readonly postings: bigint;
  readonly available: bigint;
  readonly held: bigint;
}

export interface FoldRequest {
  readonly merchantId: number;
  readonly accountId: string;
  /** Unix ms, rising: the starts of the periods that follow each other. */
  readonly starts: readonly number[];
  /** Where the last period ends; null for no end. */
  readonly end: number | null;
}

const lastUuid = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/**
 * Everything that moved one account in periods of time, by `created_at`. Transactions are found by the range of their ids, which are
 * made from the same time; those whose id says another time are found by an index of their own, so none is missed. Runs in the
 * caller's transaction; one at REPEATABLE READ sees the same postings in all its folds and balances.
 */
export async function foldMovements(sql: Sql, request: FoldRequest): Promise<FoldedMovements[]> {
  const from = request.starts[0];
  if (from === undefined || (request.end !== null && request.end <= from)) return [];
  const stop = request.end === null ? lastUuid : firstUuid7At(request.end);
  const first = firstUuid7At(from);
  const folded = await foldWhere(sql, request, { text: oddIds, values: [first, stop] });
  for (let start = first; ; ) {
    const next = await pieceAfter(sql, { merchantId: request.merchantId, start, stop });
    folded.push(...(await foldWhere(sql, request, { text: idRange, values: [start, next ?? stop] })));
    if (next === null) return merged(folded);
    start = next;
  }
}

/** When the account was moved first, Unix ms; null for one that never was. */
export async function firstMovementAt(
  sql: Sql,
  account: { readonly merchantId: number; readonly accountId: string },
): Promise<number | null> {
  const { rows } = await sql.query<{ at: bigint }>(
    `SELECT t.created_at AS at FROM ledger.posting p JOIN ledger.transaction t USING (merchant_id, transaction_id)
     WHERE p.merchant_id = $1 AND (p.source_account_id = $2 OR p.destination_account_id = $2)
     ORDER BY p.transaction_id LIMIT 1`,
    [account.merchantId, account.accountId],
  );
  return rows[0] === undefined ? null : Number(rows[0].at);
}

/** The first id of the piece that follows: a statement folds so many transactions and no more, however full a day was. */
async function pieceAfter(
  sql: Sql,
  range: { readonly merchantId: number; readonly start: string; readonly stop: string },
): Promise<string | null> {
  const { rows } = await sql.query<{ id: string }>(
    `SELECT transaction_id AS id FROM ledger.transaction
     WHERE merchant_id = $1 AND transaction_id >= $2 AND transaction_id < $3
     ORDER BY transaction_id OFFSET $4 LIMIT 1`,
    [range.merchantId, range.start, range.stop, bounds.transactionsPerPiece],
  );
  return rows[0]?.id ?? null;
}

const idRange = `t.transaction_id >= $5 AND t.transaction_id < $6 AND p.transaction_id >= $5 AND p.transaction_id < $6`;
/** The first condition is that of the index `transaction_odd_id`. */
const oddIds = `substr(uuid_send(t.transaction_id), 1, 6) <> substr(int8send(t.created_at), 3)
  AND NOT (t.transaction_id >= $5 AND t.transaction_id < $6)`;

async function foldWhere(
  sql: Sql,
  request: FoldRequest,
  where: { readonly text: string; readonly values: readonly string[] },
): Promise<FoldedMovements[]> {
  const { rows } = await sql.query<Omit<FoldedMovements, "period"> & { period: number }>(
    `SELECT width_bucket(t.created_at, $3::bigint[]) - 1 AS period, t.kind,
       CASE WHEN p.source_account_id <> p.destination_account_id THEN other.kind
            WHEN p.source_held THEN 'released' ELSE 'placed' END AS counterparty,
       count(*) AS postings,
       sum(CASE WHEN p.destination_account_id = $2 AND NOT p.destination_held THEN p.amount ELSE 0 END
         - CASE WHEN p.source_account_id = $2 AND NOT p.source_held THEN p.amount ELSE 0 END)::bigint AS available,
       sum(CASE WHEN p.destination_account_id = $2 AND p.destination_held THEN p.amount ELSE 0 END
         - CASE WHEN p.source_account_id = $2 AND p.source_held THEN p.amount ELSE 0 END)::bigint AS held
     FROM ledger.transaction t
     JOIN ledger.posting p ON p.merchant_id = t.merchant_id AND p.transaction_id = t.transaction_id
     JOIN ledger.account other ON other.merchant_id = p.merchant_id AND other.account_id =
       CASE WHEN p.source_account_id = $2 THEN p.destination_account_id ELSE p.source_account_id END
     WHERE t.merchant_id = $1 AND p.merchant_id = $1 AND (p.source_account_id = $2 OR p.destination_account_id = $2)
       AND t.created_at >= ($3::bigint[])[1] AND ($4::bigint IS NULL OR t.created_at < $4) AND ${where.text}
     GROUP BY 1, 2, 3`,
    [request.merchantId, request.accountId, request.starts, request.end, ...where.values],
  );
  return rows;
}

function merged(parts: readonly FoldedMovements[]): FoldedMovements[] {
  const sums = new Map<string, FoldedMovements>();
  for (const part of parts) {
    const key = `${part.period} ${part.kind} ${part.counterparty}`;
    const sum = sums.get(key);
    sums.set(key, {
      ...part,
      postings: part.postings + (sum?.postings ?? 0n),
      available: part.available + (sum?.available ?? 0n),
      held: part.held + (sum?.held ?? 0n),
    });
  }
  return [...sums.values()];
}
