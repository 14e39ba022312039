import type { Remark } from "@cardwright/contract";
import { limitPeriods } from "#authorization/index.ts";
import { uuid7 } from "#kernel/index.ts";
import { voidHolds } from "#ledger/index.ts";
import type { ShortfallPolicy } from "#merchants/index.ts";
import { type MerchantAccounts, merchantAccounts } from "./accounts.ts";
import { keepAuthorizedAmount } from "./authorized-amount.ts";
import type { Exchange } from "./billing.ts";
import { flagWith } from "./blank-transaction.ts";
import { type BookingPlan, carryOut, planBooking } from "./booking.ts";
import { type LockedCard, moveLimits, type SideCounters, saveCounters } from "./locked-card.ts";
import { pushTransaction } from "./push.ts";
import type { Reception } from "./receive.ts";
import { shortfallPolicyOf } from "./shortfall.ts";
import { type SideFees, spendingFees } from "./side-fees.ts";
import { type CardTransaction, insertTransaction, updateTransaction } from "./transaction-store.ts";

/** Everything that settling a card's purchases needs, in one transaction of the database. */
export interface Desk extends Reception {
  readonly accounts: MerchantAccounts;
  readonly shortfall: ShortfallPolicy;
  /** The card's free counts as they are now, the purchases settled before included. */
  counters: SideCounters;
}

export async function openDesk(reception: Reception): Promise<Desk> {
  const { sql, card } = reception;
  const { merchantId } = card;
  const shortfall = card.creditAccountId === null ? "overdraw" : await shortfallPolicyOf(sql, merchantId);
  return { ...reception, accounts: await merchantAccounts(sql, merchantId), shortfall, counters: card.counters };
}

/** Whether the money of a purchase is still held. */
export const isHeld = ({ stage }: Pick<CardTransaction, "stage">): boolean => stage === "held";

export interface Settlement {
  /** What this clearing adds to it, minor units of the card's currency. */
  readonly share: bigint;
  /** No more will come: what is still held is available again. */
  readonly final: boolean;
  /** What it is flagged with when it ends; null leaves what it is flagged with already. */
  readonly remark: Remark | null;
  readonly exchange: Exchange | null;
  /** What all its parts come to in the shop's currency, when it ends. */
  readonly localAmount: string;
}

/**
 * Books a part of a purchase: one that is held, or one that is over and is cleared all the same. Fees follow what has been cleared
 * in all. Ends it when no more will come, when it is cleared in full, or when nothing is held for it any more.
 */
export async function settle(desk: Desk, before: CardTransaction, settlement: Settlement): Promise<CardTransaction> {
  const { sql, at } = desk;
  const cleared = before.clearedAmount + settlement.share;
  let more = isHeld(before) && !settlement.final && cleared < before.amount;
  let costed = await costOf(desk, before, { cleared, more });
  if (more && costed.plan.creditHeld + costed.plan.reserveHeld === 0n) {
    more = false;
    costed = await costOf(desk, before, { cleared, more });
  }
  const { plan, fees } = costed;
  const after = more ? partlyCleared(before, { cleared, plan }) : over(before, { cleared, plan, fees, settlement });
  if (after.amount !== before.amount) {
    await keepAuthorizedAmount(sql, before);
  }
  await updateTransaction(sql, after, { at });
  await count(desk, { transaction: before, amount: after.amount - countedOf(before) });
  await useCounters(desk, fees.counters);
  await pushTransaction(sql, after, { at });
  await carryOut(desk, before, plan, { keep: more, at });
  return after;
}

/** Books a purchase that nobody has authorized, and writes it down. */
export async function settleNew(desk: Desk, blank: CardTransaction): Promise<CardTransaction> {
  const { sql, at } = desk;
  const { plan, fees } = await costOf(desk, blank, { cleared: blank.amount, more: false });
  const after: CardTransaction = {
    ...blank,
    ...booked(plan),
    ...fees.shown,
    clearedAmount: blank.amount,
    smallFee: fees.smallFee,
    smallCost: fees.smallCost,
  };
  await insertTransaction(sql, after);
  await count(desk, { transaction: blank, amount: blank.amount });
  await useCounters(desk, fees.counters);
  await pushTransaction(sql, after, { at });
  await carryOut(desk, blank, plan, { keep: false, at });
  return after;
}

const unneeded = "Not needed by the clearing.";

/** Gives back an increment of which the clearing needed nothing. */
export async function giveBack(desk: Desk, before: CardTransaction): Promise<CardTransaction> {
  const { sql, at } = desk;
  const { merchantId, holdId } = before;
  const after: CardTransaction = {
    ...before,
    status: "Fail",
    stage: "done",
    remark: "reversed",
    detail: unneeded,
    fee: 0n,
    feeRows: [],
    creditTotal: 0n,
    reserveTotal: 0n,
  };
  await updateTransaction(sql, after, { at });
  await count(desk, { transaction: before, amount: -before.amount });
  await pushTransaction(sql, after, { at });
  if (holdId !== null) {
    await voidHolds(sql, { kind: "void", holds: [{ merchantId, holdId, transactionId: uuid7(at) }], at });
  }
  return after;
}

async function costOf(
  desk: Desk,
  before: CardTransaction,
  target: { readonly cleared: bigint; readonly more: boolean },
): Promise<{ readonly fees: SideFees; readonly plan: BookingPlan }> {
  const { cleared, more } = target;
  const fees = spendingFees(desk, { ...before, amount: cleared, more });
  const { cardholderFee, reserveFee } = fees;
  return { fees, plan: await planBooking(desk, before, { cleared, cardholderFee, reserveFee }) };
}

const booked = ({ creditBooked, reserveBooked }: BookingPlan) => ({
  creditBooked,
  reserveBooked,
  creditTotal: creditBooked,
  reserveTotal: reserveBooked,
});

/** It goes on as it was authorized, fees included: what it will come to is not known yet. */
function partlyCleared(
  before: CardTransaction,
  part: { readonly cleared: bigint; readonly plan: BookingPlan },
): CardTransaction {
  const { creditBooked, reserveBooked, creditHeld, reserveHeld } = part.plan;
  return {
    ...before,
    clearedAmount: part.cleared,
    creditBooked,
    reserveBooked,
    creditTotal: creditBooked + creditHeld,
    reserveTotal: reserveBooked + reserveHeld,
    ...flagWith("partially_cleared"),
  };
}

function over(
  before: CardTransaction,
  end: {
    readonly cleared: bigint;
    readonly plan: BookingPlan;
    readonly fees: SideFees;
    readonly settlement: Settlement;
  },
): CardTransaction {
  const { cleared, plan, fees, settlement } = end;
  return {
    ...before,
    ...booked(plan),
    ...fees.shown,
    ...flag(before, settlement.remark),
    ...settlement.exchange,
    status: "Success",
    stage: "done",
    amount: cleared,
    clearedAmount: cleared,
    localAmount: settlement.localAmount,
    smallFee: fees.smallFee,
    smallCost: fees.smallCost,
  };
}

/** A stand-in approval stays one; that parts were missing is over. */
function flag(before: CardTransaction, remark: Remark | null): Pick<CardTransaction, "remark" | "detail"> {
  if (remark !== null) {
    return flagWith(remark);
  }
  const { remark: kept, detail } = before;
  return kept === "partially_cleared" ? { remark: "", detail: "" } : { remark: kept, detail };
}

/** What of a purchase counts against the product's limits. */
const countedOf = ({ status, amount }: CardTransaction): bigint => (status === "Fail" ? 0n : amount);

async function count(
  { sql, card }: Desk,
  change: { readonly transaction: CardTransaction; readonly amount: bigint },
): Promise<void> {
  const { transaction, amount } = change;
  if (amount !== 0n) {
    const periods = limitPeriods(transaction.createdAt, card.utcOffsetMinutes);
    await moveLimits(sql, card, { amount, atm: transaction.type === "Atm", periods });
  }
}

export async function useCounters(
  desk: { readonly sql: Reception["sql"]; readonly card: LockedCard; counters: SideCounters },
  counters: SideCounters,
): Promise<void> {
  if (counters !== desk.counters) {
    desk.counters = counters;
    await saveCounters(desk.sql, desk.card, counters);
  }
}
