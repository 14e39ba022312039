import type { Rate } from "@cardwright/money";
import type { Sql } from "#database/index.ts";
import { type Account, listAccounts } from "#ledger/index.ts";

/** A merchant has seven accounts of its own. */
const ownAccountsMax = 20;

/** Where a merchant stands; minor units. */
export interface CreditPosition {
  /** What all its cardholders hold, bonus included: available and held. An overdrawn account counts as what it is, below zero. */
  readonly outstanding: bigint;
  /** Available and held. */
  readonly reserve: bigint;
}

/**
 * Read in one statement, hence of one moment. A merchant's TUSDT accounts sum to zero, so what its cardholders hold is what its own
 * accounts lack, however many cardholders there are. Exact for a caller that has locked the merchant's `credit_line`: every grant of
 * credit changes that account, so nobody else grants until the caller's transaction ends. What changes the other accounts meanwhile
 * (purchases clear, the reserve pays costs) might as well have come after the grant.
 */
export async function creditPosition(sql: Sql, merchantId: number): Promise<CreditPosition> {
  const accounts = await listAccounts(sql, { merchantId, owner: "", limit: ownAccountsMax });
  const sumOf = (isMeant: (account: Account) => boolean): bigint =>
    accounts.filter(isMeant).reduce((sum, { available, held }) => sum + available + held, 0n);
  return {
    outstanding: -sumOf(({ currency }) => currency === "TUSDT"),
    reserve: sumOf(({ kind }) => kind === "reserve"),
  };
}

/** Whether credit stays within `bound` times the reserve, compared exactly; without a bound always. */
export function isWithinBound(position: CreditPosition, bound: Rate | null): boolean {
  return bound === null || position.outstanding * 10n ** BigInt(bound.scale) <= bound.units * position.reserve;
}
