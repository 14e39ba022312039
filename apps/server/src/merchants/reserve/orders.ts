import { decimalsOf, formatAmount } from "@cardwright/money";
import type { Pool } from "pg";
import { appendAudit, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { type Clock, ok, orderNumber, type Result, refused, unreachable, uuid7 } from "#kernel/index.ts";
import { findAccount, lockAvailable, type MerchantAccountKind, transfer } from "#ledger/index.ts";
import { reserve as bounds } from "../../limits.ts";
import { isOneLine } from "../settings.ts";
import { selectMerchant } from "../store.ts";
import {
  accountOfCategory,
  type NewAdjustment,
  type NewWithdrawal,
  type ReserveOrder,
  type ReserveOrderContent,
  type ReserveOrderRefusal,
} from "./order.ts";
import { decideOrder, insertOrder, selectOrderByNo, selectOrderByReference } from "./order-store.ts";

export interface ReserveDeps {
  readonly pool: Pool;
  readonly clock: Clock;
}

/** Asks for money to be paid out of a reserve. Nothing is held until another operator approves. */
export async function askWithdrawal(
  deps: ReserveDeps,
  input: NewWithdrawal,
  by: Initiator,
): Promise<Result<ReserveOrder, ReserveOrderRefusal>> {
  if (!isOneLine(input.destination, bounds.destinationCharactersMax)) return refused("destination_invalid");
  return ask(deps, { ...input, kind: "withdrawal", direction: "debit", category: "", reason: "" }, by);
}

/** Asks for a correction of a reserve, in either direction. */
export async function askAdjustment(
  deps: ReserveDeps,
  input: NewAdjustment,
  by: Initiator,
): Promise<Result<ReserveOrder, ReserveOrderRefusal>> {
  if (!isOneLine(input.reason, bounds.reasonCharactersMax)) return refused("reason_invalid");
  return ask(deps, { ...input, kind: "adjustment", destination: "" }, by);
}

/**
 * The reference is the idempotency key, over both kinds: the same one with the same content answers the first order, also when two
 * such calls race; with other content it is refused.
 */
async function ask(
  deps: ReserveDeps,
  content: ReserveOrderContent,
  by: Initiator,
): Promise<Result<ReserveOrder, ReserveOrderRefusal>> {
  const { merchantId, amount, reference } = content;
  if (amount <= 0n || amount > bounds.amountMax) return refused("amount_invalid");
  if (!isOneLine(reference, bounds.referenceCharactersMax)) return refused("reference_invalid");
  const now = deps.clock.now();
  return inTransaction(deps.pool, async (tx) => {
    if ((await selectMerchant(tx, merchantId)) === null) return refused("merchant_unknown");
    const orderNo = orderNumber(content.kind === "withdrawal" ? "W" : "A", now);
    const isNew = await insertOrder(tx, { ...content, orderNo, askedBy: by.actor, createdAt: now });
    const order = await selectOrderByReference(tx, { merchantId, reference });
    if (order === null) throw new Error("a reserve order that was just written is not there");
    if (isNew) await audit(tx, { ...by, order, step: "create", at: now });
    return isSame(order, content) ? ok(order) : refused("reference_reused");
  });
}

function isSame(order: ReserveOrder, content: ReserveOrderContent): boolean {
  return (["kind", "direction", "amount", "destination", "category", "reason"] as const).every(
    (part) => order[part] === content[part],
  );
}

/**
 * Books an order, exactly once: of racing calls one moves it out of `Pending` and posts in the same transaction, the others find it
 * booked and answer the same. Refused to the operator who asked for it, and when the reserve does not cover a debit by what it has
 * above zero: neither a grace nor an overdraft can be paid out. Then it stays `Pending`.
 */
export async function approveOrder(
  deps: ReserveDeps,
  input: { readonly orderNo: string },
  by: Initiator,
): Promise<Result<ReserveOrder, ReserveOrderRefusal>> {
  const now = deps.clock.now();
  return inTransaction(
    deps.pool,
    async (tx) => {
      const known = await selectOrderByNo(tx, input.orderNo);
      if (known === null) return refused("reserve_order_unknown");
      if (known.askedBy === by.actor) return refused("own_order");
      const decided = await decide(tx, { order: known, status: "Booked", by, at: now });
      if (!decided.isMine)
        return decided.order.status === "Booked" ? ok(decided.order) : refused("reserve_order_cancelled");
      // Last, so that the reserve, which purchases need, is locked only until the commit.
      return (await book(tx, { order: decided.order, at: now })) ? ok(decided.order) : refused("reserve_too_low");
    },
    { commitWhen: (outcome) => outcome.ok },
  );
}

/** Ends an order that is not booked; also the operator who asked may. */
export async function cancelOrder(
  deps: ReserveDeps,
  input: { readonly orderNo: string },
  by: Initiator,
): Promise<Result<ReserveOrder, ReserveOrderRefusal>> {
  const now = deps.clock.now();
  return inTransaction(deps.pool, async (tx) => {
    const known = await selectOrderByNo(tx, input.orderNo);
    if (known === null) return refused("reserve_order_unknown");
    const decided = await decide(tx, { order: known, status: "Cancelled", by, at: now });
    return decided.order.status === "Cancelled" ? ok(decided.order) : refused("reserve_order_booked");
  });
}

async function decide(
  tx: Sql,
  decision: {
    readonly order: ReserveOrder;
    readonly status: "Booked" | "Cancelled";
    readonly by: Initiator;
    readonly at: number;
  },
): Promise<{ readonly order: ReserveOrder; readonly isMine: boolean }> {
  const { status, by, at } = decision;
  const { merchantId, orderNo } = decision.order;
  const isMine = await decideOrder(tx, { merchantId, orderNo, status, decidedBy: by.actor, decidedAt: at });
  // Read again: another call may have decided while this one waited for the row.
  const order = await selectOrderByNo(tx, orderNo);
  if (order === null || order.status === "Pending") throw new Error("a reserve order was decided and is not");
  if (isMine) await audit(tx, { ...by, order, step: status === "Booked" ? "approve" : "cancel", at });
  return { order, isMine };
}

/** False when the reserve does not cover it. */
async function book(tx: Sql, booking: { readonly order: ReserveOrder; readonly at: number }): Promise<boolean> {
  const { order, at } = booking;
  const { merchantId, amount, direction } = order;
  const reserve = await accountOf(tx, { merchantId, kind: "reserve" });
  const other = await accountOf(tx, { merchantId, kind: counterpartyOf(order) });
  await lockAvailable(tx, { merchantId, accountIds: [reserve.accountId, other.accountId] });
  // Under the lock, and the balance itself: what the lock answers counts a grace, which is for purchases only.
  const { available } = await accountOf(tx, { merchantId, kind: "reserve" });
  if (direction === "debit" && available < amount) return false;
  const [source, destination] =
    direction === "debit" ? [reserve.accountId, other.accountId] : [other.accountId, reserve.accountId];
  await transfer(tx, {
    merchantId,
    transactionId: uuid7(at),
    kind: order.kind,
    reference: order.orderNo,
    at,
    postings: [{ source, destination, amount }],
  });
  return true;
}

function counterpartyOf({ kind, category }: ReserveOrder): MerchantAccountKind {
  switch (kind) {
    case "withdrawal":
      return "funding";
    case "adjustment":
      if (category === "") throw new Error("an adjustment has no category");
      return accountOfCategory[category];
    default:
      return unreachable(kind);
  }
}

async function accountOf(tx: Sql, name: { readonly merchantId: number; readonly kind: MerchantAccountKind }) {
  const account = await findAccount(tx, { ...name, owner: "" });
  if (account === null) throw new Error(`a merchant has no ${name.kind} account`);
  return account;
}

async function audit(
  tx: Sql,
  done: Initiator & {
    readonly order: ReserveOrder;
    readonly step: "create" | "approve" | "cancel";
    readonly at: number;
  },
): Promise<void> {
  const { order, step, ...entry } = done;
  const { merchantId, kind, orderNo: subject, direction, destination, category, reason, reference } = order;
  const amount = formatAmount(order.amount, decimalsOf("USD"));
  const own = kind === "withdrawal" ? { destination } : { direction, category, reason };
  const detail = { amount, ...own, reference, asked_by: order.askedBy };
  await appendAudit(tx, { ...entry, merchantId, action: `${kind}.${step}`, subject, detail });
}
