export {
  type Account,
  type AccountKind,
  type AccountName,
  creditAccountKinds,
  findAccount,
  listAccounts,
  openAccount,
  platformAccountKinds,
} from "./accounts.ts";
export {
  type HoldKey,
  isBelowFloor,
  lockAvailable,
  type Movement,
  type Posting,
  postHold,
  type TransferKind,
  transfer,
  voidHolds,
} from "./movements.ts";
export { type BrokenRule, type LedgerReport, verifyLedger } from "./verify.ts";
