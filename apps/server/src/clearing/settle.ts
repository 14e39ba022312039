import type { Remark } from "@cardwright/contract";
import { repayFromBonus } from "#credit/index.ts";
import type { Exchange } from "./billing.ts";
import { flagWith } from "./blank-transaction.ts";
import { type BookingPlan, carryOut, planBooking } from "./booking.ts";
import { countLimits, type Desk, tell, useCounters } from "./desk.ts";
import { type SideFees, spendingFees } from "./side-fees.ts";
import { isHeld } from "./transaction-state.ts";
import { type CardTransaction, insertTransaction, updateTransaction } from "./transaction-store.ts";

export interface Settlement {
  /** What this clearing adds to it, minor units of the card's currency. */
  readonly share: bigint;
  /** No more will come: what is still held is available again. */
  readonly final: boolean;
  /** What ends a hold without taking anything: time that ran out, or anything else. */
  readonly release?: "void" | "expire";
  /** What it is flagged with when it ends; null leaves what it is flagged with already. */
  readonly remark: Remark | null;
  readonly exchange: Exchange | null;
  /** What all its parts come to in the shop's currency, when it ends. */
  readonly localAmount: string;
}

/**
 * Books a part of a purchase: one that is held, or one that is over and is cleared all the same. Fees follow what has been cleared
 * in all. Ends it when no more will come, when it is cleared in full, or when nothing is held for it any more. What the cardholder
 * has paid is repaid from its bonus, as far as that reaches.
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
  await updateTransaction(sql, after, { at });
  await countLimits(desk, before, after.amount - countedOf(before));
  await useCounters(desk, fees.counters);
  await tell(desk, after);
  await carryOut(desk, before, plan, { keep: more, release: settlement.release ?? "void", at });
  await repay(desk, before, after);
  return after;
}

/** Books a purchase that nobody has authorized, and writes it down. */
export async function settleNew(desk: Desk, blank: CardTransaction): Promise<CardTransaction> {
  const { sql, at } = desk;
  const { plan, fees } = await costOf(desk, blank, { cleared: blank.amount, more: false });
  const after: CardTransaction = {
    ...blank,
    ...booked(plan, noCharges),
    ...fees.shown,
    clearedAmount: blank.amount,
    smallFee: fees.smallFee,
    smallCost: fees.smallCost,
  };
  await insertTransaction(sql, after);
  await countLimits(desk, blank, blank.amount);
  await useCounters(desk, fees.counters);
  await tell(desk, after);
  await carryOut(desk, blank, plan, { keep: false, release: "void", at });
  await repay(desk, blank, after);
  return after;
}

async function repay({ sql, card, at }: Desk, before: CardTransaction, after: CardTransaction): Promise<void> {
  const amount = after.creditBooked - before.creditBooked;
  if (card.creditAccountId !== null && amount > 0n) {
    const { merchantId, cardholderNo } = card;
    await repayFromBonus(sql, { merchantId, cardholderNo, amount, reference: after.consumeNo, at });
  }
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

type Charges = Pick<CardTransaction, "fee" | "feeRows" | "creditTotal" | "reserveTotal">;
const noCharges: Charges = { fee: 0n, feeRows: [], creditTotal: 0n, reserveTotal: 0n };

/** Fees that were charged by themselves and were not given back: a purchase that was cancelled, and is cleared all the same. */
function chargesOf(before: CardTransaction): Charges {
  if (isHeld(before)) {
    return noCharges;
  }
  const feeRows = before.feeRows.filter(({ feeType }) => feeType === "Cancel_fee" || feeType === "Decline_fee");
  return {
    fee: feeRows.reduce((sum, { amount }) => sum + amount, 0n),
    feeRows,
    creditTotal: before.creditTotal - before.creditBooked,
    reserveTotal: before.reserveTotal - before.reserveBooked,
  };
}

const booked = ({ creditBooked, reserveBooked }: BookingPlan, charges: Charges) => ({
  creditBooked,
  reserveBooked,
  creditTotal: creditBooked + charges.creditTotal,
  reserveTotal: reserveBooked + charges.reserveTotal,
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
  const charges = chargesOf(before);
  return {
    ...before,
    ...booked(plan, charges),
    fee: charges.fee + fees.shown.fee,
    feeRows: [...charges.feeRows, ...fees.shown.feeRows],
    ...flag(before, settlement.remark),
    ...settlement.exchange,
    status: "Success",
    stage: "done",
    amount: cleared,
    clearedAmount: cleared,
    captureLimit: before.captureLimit ?? before.amount,
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
