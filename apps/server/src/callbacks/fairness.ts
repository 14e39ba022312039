import { callbackLimits } from "./limits.ts";

/** A merchant with something due. */
export interface DueMerchant {
  readonly merchantId: number;
  /** Its oldest due moment, Unix ms. */
  readonly dueAtMs: number;
}

/** What this process is doing for a merchant now. */
export interface MerchantLoad {
  readonly inFlight: number;
  readonly failing: boolean;
}

export interface Share {
  readonly merchantId: number;
  readonly slots: number;
}

/**
 * Divides the free tries among merchants that have something due: everybody gets the same number, those that have least in
 * flight come first, and nobody gets more than its cap leaves. However long one merchant's line is, it gets one share.
 */
export function shareOut(options: {
  readonly due: readonly DueMerchant[];
  readonly loadOf: (merchantId: number) => MerchantLoad;
  readonly slotsFree: number;
}): Share[] {
  const candidates = options.due
    .map(({ merchantId, dueAtMs }) => ({ merchantId, dueAtMs, load: options.loadOf(merchantId) }))
    .filter(({ load }) => load.inFlight < capOf(load))
    .sort((a, b) => a.load.inFlight - b.load.inFlight || a.dueAtMs - b.dueAtMs);
  const fairSlots = Math.max(1, Math.floor(options.slotsFree / Math.max(1, candidates.length)));
  return candidates
    .slice(0, Math.max(0, options.slotsFree))
    .map(({ merchantId, load }) => ({ merchantId, slots: Math.min(fairSlots, capOf(load) - load.inFlight) }));
}

function capOf({ failing }: MerchantLoad): number {
  return failing ? callbackLimits.triesOfFailingMerchantMax : callbackLimits.triesOfMerchantMax;
}
