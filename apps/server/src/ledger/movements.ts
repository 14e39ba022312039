import type { Sql } from "#database/index.ts";
import {
  callCapture,
  callChangeHold,
  callForceHold,
  callForceTransfer,
  callLock,
  callTransfer,
  callVoid,
} from "./store.ts";

export type TransferKind =
  | "recharge"
  | "transfer_in"
  | "transfer_out"
  | "open_card"
  | "adjustment"
  | "refund"
  | "reversal"
  | "fee"
  | "withdrawal"
  | "bonus";

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
 * The same for what cannot be refused, such as the chargeback of a refund: a balance may fall below its floor, as an overdraft that the
 * next money coming in covers.
 */
export async function forceTransfer(sql: Sql, movement: Movement): Promise<void> {
  await callForceTransfer(sql, movement);
}

/**
 * Takes money for good, in the caller's transaction: each posting first takes what the hold keeps on its source account, then what is
 * available there, below the floor if it must (a clearing cannot be refused). `holdId` null: there is no hold. `keep` leaves the rest
 * of the hold for later parts; otherwise it is available again. Answers what had to be taken beyond the hold, minor units.
 */
export async function capture(
  sql: Sql,
  options: {
    readonly merchantId: number;
    readonly holdId: string | null;
    readonly transactionId: string;
    readonly reference: string;
    readonly at: number;
    readonly postings: readonly Posting[];
    readonly keep: boolean;
  },
): Promise<bigint> {
  return callCapture(sql, options);
}

/**
 * Sets what an open hold keeps on each account, in the caller's transaction: less gives the difference back, more takes it from what is
 * available, below the floor if it must. Accounts that are not given keep theirs; at least one line must stay above zero, because a
 * hold without lines is over (`voidHolds`). Throws when the hold is not open.
 */
export async function changeHold(
  sql: Sql,
  options: {
    readonly merchantId: number;
    readonly holdId: string;
    readonly transactionId: string;
    readonly at: number;
    readonly lines: readonly { readonly accountId: string; readonly amount: bigint }[];
  },
): Promise<void> {
  await callChangeHold(sql, options);
}

/** Opens a hold that cannot be refused, in the caller's transaction: the network has approved in our stead. One line per account. */
export async function forceHold(
  sql: Sql,
  options: {
    readonly merchantId: number;
    readonly holdId: string;
    readonly reference: string;
    readonly at: number;
    readonly expiresAt: number;
    readonly lines: readonly { readonly accountId: string; readonly amount: bigint }[];
  },
): Promise<void> {
  await callForceHold(sql, options);
}

/**
 * Locks accounts of a merchant, in the order that every writer keeps, and answers what can be spent of each: what is
 * available above its floor, which for a reserve includes a grace below zero. For a caller that
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
