/** A merchant with something due. */
export interface DueMerchant {
  readonly merchantId: number;
  /** Its oldest due moment, Unix ms. */
  readonly dueAtMs: number;
}

/** What this process has of a merchant now. */
export interface MerchantLoad {
  /** Pushes in flight and in line. */
  readonly claimed: number;
  /** How many it may have. */
  readonly claimMax: number;
}

export interface Share {
  readonly merchantId: number;
  readonly slots: number;
}

/**
 * Divides what may be claimed among merchants that have something due: everybody gets the same number, those that have least come
 * first, and nobody gets more than its maximum leaves. However long one merchant's line is, it gets one share. Who still has three
 * quarters of its maximum is passed over: many small claims cost more than a few large ones.
 */
export function shareOut(options: {
  readonly due: readonly DueMerchant[];
  readonly loadOf: (merchantId: number) => MerchantLoad;
  readonly slotsFree: number;
}): Share[] {
  const candidates = options.due
    .map(({ merchantId, dueAtMs }) => ({ merchantId, dueAtMs, load: options.loadOf(merchantId) }))
    .filter(({ load }) => wants(load))
    .sort((a, b) => a.load.claimed - b.load.claimed || a.dueAtMs - b.dueAtMs);
  const fairSlots = Math.max(1, Math.floor(options.slotsFree / Math.max(1, candidates.length)));
  return candidates
    .slice(0, Math.max(0, options.slotsFree))
    .map(({ merchantId, load }) => ({ merchantId, slots: Math.min(fairSlots, load.claimMax - load.claimed) }));
}

/** Whether there is place for at least a quarter of the maximum. */
export function wants({ claimed, claimMax }: MerchantLoad): boolean {
  return claimMax - claimed >= Math.max(1, Math.ceil(claimMax / 4));
}
