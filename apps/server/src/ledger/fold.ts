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
  const folded = await foldRange(sql, request, { by: "fold_odd", first, stop });
  for (let start = first; ; ) {
    const next = await pieceAfter(sql, { merchantId: request.merchantId, start, stop });
    folded.push(...(await foldRange(sql, request, { by: "fold_account", first: start, stop: next ?? stop })));
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
    `SELECT created_at AS at FROM ledger.transaction
     WHERE merchant_id = $1 AND transaction_id = (
       SELECT transaction_id FROM ledger.posting
       WHERE merchant_id = $1 AND (source_account_id = $2 OR destination_account_id = $2)
       ORDER BY transaction_id LIMIT 1)`,
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

async function foldRange(
  sql: Sql,
  request: FoldRequest,
  range: { readonly by: "fold_account" | "fold_odd"; readonly first: string; readonly stop: string },
): Promise<FoldedMovements[]> {
  const { merchantId, accountId, starts, end } = request;
  const { rows } = await sql.query<FoldedMovements>(
    `SELECT period, kind, counterparty, postings, available, held FROM ledger.${range.by}($1, $2, $3, $4, $5, $6)`,
    [merchantId, accountId, starts, end, range.first, range.stop],
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
