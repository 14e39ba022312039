import { shareOf } from "./allocation.ts";
import type { Left } from "./transaction-state.ts";

/** How much is to be reversed; null: everything. */
export type Wanted = { readonly in: "card" | "transaction"; readonly amount: bigint } | null;

export interface ReversedPart {
  readonly amount: bigint;
  readonly localAmount: bigint;
}

/**
 * Cuts what is to be reversed into parts, one for each of `lefts` in their order, until it is used up. Never more than is left of
 * one. An amount in the transaction's currency is worth the same share of what was billed: a third of 3000 JPY is a third of its
 * dollars, so several partial reversals of a purchase add up to exactly the purchase.
 */
export function partsOf(lefts: readonly Left[], wanted: Wanted): ReversedPart[] {
  let rest = wanted?.amount ?? 0n;
  return lefts.map(({ left, localLeft }) => {
    if (wanted === null) {
      return { amount: left, localAmount: localLeft };
    }
    const available = wanted.in === "card" ? left : localLeft;
    const taken = rest < available ? rest : available;
    rest -= taken;
    return wanted.in === "card"
      ? { amount: taken, localAmount: shareOf(localLeft, { part: taken, of: left }) }
      : { amount: shareOf(left, { part: taken, of: localLeft }), localAmount: taken };
  });
}
