import type { DeclineReason } from "@cardwright/contract";

/**
 * Whether a decline for that reason may cost a `Decline_fee`. It does where the card, the cardholder or the merchant's own no
 * is the reason. It does not where we, the network or an unreachable merchant failed: nobody pays for that; and not where
 * there is no card to charge.
 */
const charged: Readonly<Record<DeclineReason, boolean>> = {
  card_not_found: false,
  card_not_active: true,
  card_frozen: true,
  card_expired: true,
  cvv_mismatch: true,
  pin_mismatch: true,
  pin_tries_exceeded: true,
  limit_per_purchase: true,
  limit_week: true,
  limit_atm_day: true,
  limit_atm_month: true,
  insufficient_credit: true,
  insufficient_reserve: false,
  merchant_declined: true,
  merchant_timeout: false,
  merchant_unreachable: false,
  merchant_bad_answer: false,
  merchant_busy: false,
  merchant_circuit_open: false,
  merchant_disabled: false,
  currency_not_supported: false,
  duplicate: false,
  system_error: false,
};

/** See the table above; the free counts of the schedule come on top (`transactionFees`). */
export function isDeclineCharged(reason: DeclineReason): boolean {
  return charged[reason];
}
