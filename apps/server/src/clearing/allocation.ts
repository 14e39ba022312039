/** One authorization of a group: a purchase, or an increment of it; minor units. */
export interface Member {
  /** What it may still clear from its hold; 0 when it has none. */
  readonly open: bigint;
}

/**
 * Shares a clearing among a purchase and its increments: each is used up before the next is touched, and what none covers
 * goes to the first, the purchase itself. The shares sum to the amount.
 */
export function shareOut(
  amount: bigint,
  members: readonly Member[],
): { readonly shares: bigint[]; readonly beyond: bigint } {
  let rest = amount;
  const shares = members.map(({ open }) => {
    const share = rest < open ? rest : open;
    rest -= share;
    return share;
  });
  if (shares[0] === undefined) throw new RangeError("nobody to share among");
  shares[0] += rest;
  return { shares, beyond: rest };
}

/** `whole * part / of`, rounded half up; nothing of nothing. */
export function shareOf(whole: bigint, fraction: { readonly part: bigint; readonly of: bigint }): bigint {
  const { part, of } = fraction;
  return of === 0n ? 0n : (whole * part * 2n + of) / (of * 2n);
}
