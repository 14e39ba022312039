/** What a transaction costs: pure functions of a schedule, a transaction and counters (contract section 3.1). */
export { type CardCalendar, daysSinceOpening } from "./card-calendar.ts";
export { isCrossBorder } from "./cross-border.ts";
export { isDeclineCharged } from "./decline-reasons.ts";
export {
  type CardMoment,
  type FreeAllowance,
  type FreeCounter,
  freeAllowance,
  freeLeft,
  unusedCounter,
  used,
} from "./free-count.ts";
export {
  type ManagementCalendar,
  type ManagementPeriod,
  managementPeriod,
  managementPeriodAt,
  nextManagementPeriod,
  noActivity,
  type PeriodActivity,
  waived,
} from "./management.ts";
export { sumOfFees } from "./rows.ts";
export { managementCharge, openingCharge, type StandingCharge } from "./standing-charges.ts";
export type { ChargedTransaction, SmallDecision, SpendingTransaction } from "./transaction.ts";
export {
  type FeeCard,
  type FeeCounters,
  type FeeInput,
  freeCancels,
  type TransactionFees,
  transactionFees,
  unusedCounters,
} from "./transaction-fees.ts";
