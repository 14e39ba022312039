import type { Sql } from "#database/index.ts";
import { callLock, callPost, callTransfer, callVoid } from "./store.ts";

export type TransferKind = "recharge" | "transfer_in" | "transfer_out" | "open_card" | "adjustment";

/** An amount (minor units, above zero) that leaves one account and arrives in another of the same currency. */
export interface Posting {
  readonly source: string;
  readonly destination: string;
  readonly amount: bigint;
}

export interface Movement {
  readonly merchantId: number;
  readonly transactionId: string;
  readonly kind: TransferKind;
  /** The public number of what caused it. */
  readonly reference: string;
  readonly at: number;
  readonly postings: readonly Posting[];
}

/** The constraint that refuses a balance below its floor, as Postgres names it. */
const floorConstraint = "account_above_floor";

/** Whether an error is the database's refusal to let a balance fall below its floor. */
export function isBelowFloor(error: unknown): boolean {
  return typeof error === "object" && error !== null && "constraint" in error && error.constraint === floorConstraint;
}

/**
 * Moves money at once, in the caller's transaction. Throws the database's error when a balance would fall below its floor
 * (`isBelowFloor`): the caller's transaction is over then, so nothing of it stays.
 */
export async function transfer(sql: Sql, movement: Movement): Promise<void> {
  await callTransfer(sql, movement);
}

export interface HoldKey {
  readonly merchantId: number;
  readonly holdId: string;
  /** Id of the transaction that gives the money back. */
  readonly transactionId: string;
}

/** Gives back what holds keep; answers the ids of those that were open. `expire` when time ran out, `void` when somebody said so. */
export async function voidHolds(
  sql: Sql,
  options: { readonly kind: "void" | "expire"; readonly holds: readonly HoldKey[]; readonly at: number },
): Promise<string[]> {
  return callVoid(sql, options);
}

/**
 * Posts a hold: takes the postings' amounts out of what it keeps and gives the rest back. False when it is open no more.
 * Throws when the postings ask for more than is held.
 */
export async function postHold(
  sql: Sql,
  options: HoldKey & { readonly reference: string; readonly at: number; readonly postings: readonly Posting[] },
): Promise<boolean> {
  return callPost(sql, options);
}

/**
 * Locks accounts of a merchant, in the order that every writer keeps, and answers what is available in each. For a caller that
 * must know before it moves: nobody can change them until its transaction ends.
 */
export async function lockAvailable(
  sql: Sql,
  options: { readonly merchantId: number; readonly accountIds: readonly string[] },
): Promise<Map<string, bigint>> {
  const ids = [...new Set(options.accountIds)].toSorted();
  const available = await callLock(sql, { merchantId: options.merchantId, accountIds: ids });
  return new Map(ids.map((id, index) => [id, available[index] ?? 0n]));
}
