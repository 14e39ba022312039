import { authorization as bounds } from "../limits.ts";
import type { MerchantAnswer } from "./ask.ts";

/**
 * Merchants whose last question was not properly answered. What is decided about their purchases lets that of others go first, so that a server
 * that hangs is noticed by its own cardholders alone. Each process finds out for itself.
 */
export interface FailingMerchants {
  has(merchantId: number): boolean;
  /** Told how each question ended. */
  note(merchantId: number, end: MerchantAnswer["kind"]): void;
}

export function createFailingMerchants(): FailingMerchants {
  /** The one that has failed for longest first. */
  const failing = new Set<number>();
  return {
    has: (merchantId) => failing.has(merchantId),
    note: (merchantId, end) => {
      switch (end) {
        case "approved":
        case "declined":
          failing.delete(merchantId);
          return;
        case "timeout":
        case "unreachable":
        case "bad_answer":
          failing.add(merchantId);
          forgetOldest(failing);
          return;
        case "busy":
        case "circuit_open":
          // It was not asked, which says nothing new about its server.
          return;
      }
    },
  };
}

function forgetOldest(failing: Set<number>): void {
  const [oldest] = failing.size > bounds.failingMerchantsMax ? failing : [];
  if (oldest !== undefined) {
    failing.delete(oldest);
  }
}
