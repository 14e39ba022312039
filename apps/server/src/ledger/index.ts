export {
  type Account,
  type AccountKind,
  type AccountName,
  creditAccountKinds,
  findAccount,
  listAccounts,
  type MerchantAccountKind,
  openAccount,
  platformAccountKinds,
} from "./accounts.ts";
export { nextHoldExpiry } from "./hold-expiry.ts";
export {
  capture,
  forceHold,
  forceTransfer,
  type HoldKey,
  isBelowFloor,
  lockAvailable,
  type Movement,
  type Posting,
  type TransferKind,
  transfer,
  voidHolds,
} from "./movements.ts";
export { type BrokenRule, type LedgerReport, verifyLedger } from "./verify.ts";
