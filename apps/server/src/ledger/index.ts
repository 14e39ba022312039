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
  setFloor,
} from "./accounts.ts";
export { type FoldedMovements, type FoldRequest, firstMovementAt, foldMovements } from "./fold.ts";
export { nextHoldExpiry } from "./hold-expiry.ts";
export {
  capture,
  changeHold,
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
