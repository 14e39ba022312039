import { decimalsOf, formatAmount } from "@cardwright/money";
import { appendAudit, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { ok, orderNumber, type Result, refused, uuid7 } from "#kernel/index.ts";
import { type AccountKind, findAccount, transfer } from "#ledger/index.ts";
import type { MerchantsDeps } from "./ports.ts";
import type { NewRecharge, RechargeOrder, Reserve } from "./recharge.ts";
import type { RechargeRefusal } from "./refusals.ts";
import { isOneLine } from "./settings.ts";
import {
  decideRecharge,
  insertRecharge,
  selectMerchant,
  selectRechargeByNo,
  selectRechargeByReference,
} from "./store.ts";

export const referenceCharactersMax = 128;
/** Minor units: ten billion. Above any real payment, and millions of them fit in the ledger's bigint. */
export const rechargeAmountMax = 1_000_000_000_000n;

/**
 * Notes that a merchant says it has paid. The reference is the idempotency key: the same one with the same content answers
 * the first order, also when two such calls race; with other content it is refused.
 */
export async function createRecharge(
  deps: MerchantsDeps,
  input: NewRecharge,
  by: Initiator,
): Promise<Result<RechargeOrder, RechargeRefusal>> {
  const { merchantId, amount, currency, reference } = input;
  if (amount <= 0n || amount > rechargeAmountMax) return refused("amount_invalid");
  if (!isOneLine(reference, referenceCharactersMax)) return refused("reference_invalid");
  const now = deps.clock.now();
  return inTransaction(deps.pool, async (tx) => {
    const merchant = await selectMerchant(tx, merchantId);
    if (merchant === null) return refused("merchant_unknown");
    const rechargeNo = orderNumber("R", now);
    const isNew = await insertRecharge(tx, { merchantId, amount, currency, reference, rechargeNo, createdAt: now });
    const order = await selectRechargeByReference(tx, { merchantId, reference });
    if (order === null) throw new Error("a recharge order that was just written is not there");
    if (isNew) await audit(tx, { ...by, order, action: "recharge.create", at: now });
    const isSame = order.amount === amount && order.currency === currency;
    return isSame ? ok(order) : refused("reference_reused");
  });
}

/**
 * Books the money into the reserve, exactly once: of racing calls one moves the order out of `Pending` and posts in the same
 * transaction, the others find it confirmed and answer the same.
 */
export async function confirmRecharge(
  deps: MerchantsDeps,
  input: { readonly rechargeNo: string },
  by: Initiator,
): Promise<Result<RechargeOrder, RechargeRefusal>> {
  return decide(deps, { ...input, status: "Confirmed", by });
}

/** Closes an order whose money never came. */
export async function rejectRecharge(
  deps: MerchantsDeps,
  input: { readonly rechargeNo: string },
  by: Initiator,
): Promise<Result<RechargeOrder, RechargeRefusal>> {
  return decide(deps, { ...input, status: "Rejected", by });
}

/** The merchant's reserve in minor units of USD, or null for a merchant that does not exist. */
export async function reserveOf(deps: MerchantsDeps, merchantId: number): Promise<Reserve | null> {
  const account = await findAccount(deps.pool, { merchantId, kind: "reserve", owner: "" });
  return account === null ? null : { available: account.available, held: account.held };
}

const action = { Confirmed: "recharge.confirm", Rejected: "recharge.reject" } as const;
const otherDecision = { Confirmed: "recharge_confirmed", Rejected: "recharge_rejected" } as const;

async function decide(
  deps: MerchantsDeps,
  input: { readonly rechargeNo: string; readonly status: "Confirmed" | "Rejected"; readonly by: Initiator },
): Promise<Result<RechargeOrder, RechargeRefusal>> {
  const { rechargeNo, status, by } = input;
  const now = deps.clock.now();
  return inTransaction(deps.pool, async (tx) => {
    const known = await selectRechargeByNo(tx, rechargeNo);
    if (known === null) return refused("recharge_unknown");
    const { merchantId } = known;
    const isMine = await decideRecharge(tx, { merchantId, rechargeNo, status, decidedAt: now });
    // Read again: another call may have decided while this one waited for the row.
    const order = await selectRechargeByNo(tx, rechargeNo);
    if (order === null || order.status === "Pending") throw new Error("a recharge order was decided and is not");
    if (!isMine) return order.status === status ? ok(order) : refused(otherDecision[order.status]);
    await audit(tx, { ...by, order, action: action[status], at: now });
    // Last, so that the reserve, which purchases need, is locked only until the commit.
    if (status === "Confirmed") await bookRecharge(tx, { order, at: now });
    return ok(order);
  });
}

/** TUSDT goes in at par (contract section 9, Money): the reserve is kept in USD, both have two decimals. */
async function bookRecharge(tx: Sql, booking: { readonly order: RechargeOrder; readonly at: number }): Promise<void> {
  const { order, at } = booking;
  await transfer(tx, {
    merchantId: order.merchantId,
    transactionId: uuid7(at),
    kind: "recharge",
    reference: order.rechargeNo,
    at,
    postings: [
      {
        source: await accountId(tx, { merchantId: order.merchantId, kind: "funding" }),
        destination: await accountId(tx, { merchantId: order.merchantId, kind: "reserve" }),
        amount: order.amount,
      },
    ],
  });
}

async function accountId(tx: Sql, name: { readonly merchantId: number; readonly kind: AccountKind }): Promise<string> {
  const account = await findAccount(tx, { ...name, owner: "" });
  if (account === null) throw new Error(`a merchant has no ${name.kind} account`);
  return account.accountId;
}

async function audit(
  tx: Sql,
  done: Initiator & { readonly order: RechargeOrder; readonly action: string; readonly at: number },
): Promise<void> {
  const { order, ...entry } = done;
  const { merchantId, rechargeNo: subject, amount, currency, reference } = order;
  const detail = { amount: formatAmount(amount, decimalsOf(currency)), currency, reference };
  await appendAudit(tx, { ...entry, merchantId, subject, detail });
}
