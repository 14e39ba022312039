import type { TransferType } from "@cardwright/contract";
import type { Rate } from "@cardwright/money";
import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import { type Clock, ok, orderNumber, type Result, refused, uuid7 } from "#kernel/index.ts";
import { type Account, type AccountKind, findAccount, lockAvailable, transfer } from "#ledger/index.ts";
import { creditPosition, isWithinBound } from "./bound.ts";
import { insertTransfer, type StoredTransfer, selectByUniqueNo } from "./store.ts";

export interface CreditTransferRequest {
  readonly merchantId: number;
  readonly cardholderNo: string;
  readonly transferUniqueNo: string;
  readonly type: TransferType;
  /** Minor units, above zero. */
  readonly amount: bigint;
}

export type TransferRefusal =
  | "cardholder_unknown"
  | "account_unknown"
  | "balance_too_low"
  | "reserve_too_low"
  | "transfer_unique_no_reused";

export interface CreditDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly cardholderExists: (key: { readonly merchantId: number; readonly cardholderNo: string }) => Promise<boolean>;
  /** How many times its reserve a merchant's cardholders may hold; null: no bound. Read in the transaction that it is given. */
  readonly creditBoundOf: (sql: Sql, merchantId: number) => Promise<Rate | null>;
}

/**
 * `account/transfer`: grants credit to a cardholder (`In`, within the merchant's credit policy) or takes it back (`Out`, at most what
 * is available). Idempotent by `transferUniqueNo`: the same content answers the stored result whatever has happened since, other
 * content is refused, and of racing calls one moves the money.
 */
export async function transferCredit(
  deps: CreditDeps,
  request: CreditTransferRequest,
): Promise<Result<StoredTransfer, TransferRefusal>> {
  const earlier = await repeatOf(deps.pool, request);
  if (earlier !== null) {
    return earlier;
  }
  if (!(await deps.cardholderExists(request))) {
    return refused("cardholder_unknown");
  }
  return inTransaction(deps.pool, (sql) => move(deps, sql, request), {
    commitWhen: ({ ok: kept }) => kept,
  });
}

async function repeatOf(
  sql: Sql,
  request: CreditTransferRequest,
): Promise<Result<StoredTransfer, "transfer_unique_no_reused"> | null> {
  const known = await selectByUniqueNo(sql, request);
  if (known === null) {
    return null;
  }
  const same =
    known.cardholderNo === request.cardholderNo && known.type === request.type && known.amount === request.amount;
  return same ? ok(known) : refused("transfer_unique_no_reused");
}

async function move(
  deps: CreditDeps,
  sql: Sql,
  request: CreditTransferRequest,
): Promise<Result<StoredTransfer, TransferRefusal>> {
  const { merchantId, cardholderNo, amount } = request;
  const now = deps.clock.now();
  const named = async (kind: AccountKind, owner: string) => findAccount(sql, { merchantId, kind, owner });
  const [cardholder, creditLine] = [await named("cardholder", cardholderNo), await named("credit_line", "")];
  if (cardholder === null || creditLine === null) {
    return refused("account_unknown");
  }
  const accountIds = [cardholder.accountId, creditLine.accountId];
  const available = (await lockAvailable(sql, { merchantId, accountIds })).get(cardholder.accountId) ?? 0n;
  // The lock is held, so what is read now is what the movement starts from; `held` counts as balance (contract section 9).
  const before = totalOf(await named("cardholder", cardholderNo));
  const signed = request.type === "In" ? amount : -amount;
  const stored: StoredTransfer = {
    ...request,
    transferNo: orderNumber("T", now),
    beforeBalance: before,
    afterBalance: before + signed,
    status: "Success",
    createdAt: now,
  };
  // The row first: a racing call with this number waits here until this one has ended, and then finds it.
  if (!(await insertTransfer(sql, stored))) {
    return (await repeatOf(sql, request)) ?? refused("transfer_unique_no_reused");
  }
  // An overdrawn account has nothing to give back; what comes in makes its debt smaller, however little it is.
  if (request.type === "Out" && available < amount) {
    return refused("balance_too_low");
  }
  if (request.type === "In" && !(await mayGrant(deps, sql, request))) {
    return refused("reserve_too_low");
  }
  const [source, destination] =
    request.type === "In" ? [creditLine.accountId, cardholder.accountId] : [cardholder.accountId, creditLine.accountId];
  await transfer(sql, {
    merchantId,
    transactionId: uuid7(now),
    kind: request.type === "In" ? "transfer_in" : "transfer_out",
    reference: stored.transferNo,
    at: now,
    postings: [{ source, destination, amount }],
  });
  return ok(stored);
}

/** The lock of the credit line is held: no other grant can come between this look and the movement. */
async function mayGrant(
  deps: CreditDeps,
  sql: Sql,
  { merchantId, amount }: { readonly merchantId: number; readonly amount: bigint },
): Promise<boolean> {
  const bound = await deps.creditBoundOf(sql, merchantId);
  if (bound === null) {
    return true;
  }
  const { outstanding, reserve } = await creditPosition(sql, merchantId);
  return isWithinBound({ outstanding: outstanding + amount, reserve }, bound);
}

const totalOf = (account: Account | null): bigint => (account === null ? 0n : account.available + account.held);
