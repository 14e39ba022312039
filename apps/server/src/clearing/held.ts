import { uuid7 } from "#kernel/index.ts";
import { changeHold, voidHolds } from "#ledger/index.ts";
import { flagWith } from "./blank-transaction.ts";
import { creditBorne } from "./booking.ts";
import { countLimits, type Desk, tell, useCounters } from "./desk.ts";
import { clearedLocal, localMinor, localText, selectParts } from "./local-amount.ts";
import { withIncrements } from "./original.ts";
import type { ReversedPart } from "./reversal-parts.ts";
import { settle } from "./settle.ts";
import { spendingFees } from "./side-fees.ts";
import { type CardTransaction, selectTransaction, updateTransaction } from "./transaction-store.ts";

export interface HoldEnd {
  readonly kind: "void" | "expire";
  readonly remark: "reversed" | "expired";
  /** Instead of the remark's own sentence. */
  readonly detail?: string;
  /** A fee that is charged by itself for it. */
  readonly feeDue?: CardTransaction["feeDue"];
}

/**
 * Ends what is still pending of a consumption: it fails with the remark, and its fees come back with its amount. Where a part was
 * cleared it succeeds with that part, and its fees are those of the part. What was counted against the limits is given back.
 */
export async function endHold(desk: Desk, before: CardTransaction, end: HoldEnd): Promise<CardTransaction> {
  if (before.clearedAmount > 0n) {
    return endPartlyCleared(desk, before, end.kind);
  }
  const { sql, at } = desk;
  const { merchantId, holdId } = before;
  const flagged = flagWith(end.remark);
  const after: CardTransaction = {
    ...before,
    ...flagged,
    detail: end.detail ?? flagged.detail,
    status: "Fail",
    stage: "done",
    fee: 0n,
    feeRows: [],
    creditTotal: 0n,
    reserveTotal: 0n,
    feeDue: end.feeDue ?? before.feeDue,
  };
  await updateTransaction(sql, after, { at });
  await countLimits(desk, before, -before.amount);
  await tell(desk, after);
  // A refund that was authorized holds nothing.
  if (holdId !== null) {
    await voidHolds(sql, { kind: end.kind, holds: [{ merchantId, holdId, transactionId: uuid7(at) }], at });
  }
  return after;
}

/** With what was cleared, as the network has said it part by part. */
async function endPartlyCleared(
  desk: Desk,
  before: CardTransaction,
  release: HoldEnd["kind"],
): Promise<CardTransaction> {
  const { sql } = desk;
  const { merchantId, consumeRelateNo } = before;
  const related =
    consumeRelateNo === "" ? null : await selectTransaction(sql, { merchantId, consumeNo: consumeRelateNo });
  const root = related ?? before;
  const members = await withIncrements(sql, root);
  const parts = await selectParts(sql, { merchantId, originalReference: root.networkReference });
  const weights = members.map(({ clearedAmount }) => clearedAmount);
  const of = members.findIndex(({ consumeNo }) => consumeNo === before.consumeNo);
  const localAmount = clearedLocal(before, parts, { of, weights });
  return settle(desk, before, { share: 0n, final: true, release, remark: null, exchange: null, localAmount });
}

/**
 * Lowers a pending consumption by a part of what is not cleared yet. Its fees are computed again from what remains, so the hold can even
 * grow by a cent or a fee: a purchase that has become a small one pays for that.
 */
export async function lowerHold(desk: Desk, before: CardTransaction, part: ReversedPart): Promise<CardTransaction> {
  const { sql, at } = desk;
  const { holdId, type, localCurrency } = before;
  const amount = before.amount - part.amount;
  const localAmount = localText(localMinor(before) - part.localAmount, localCurrency);
  const lowered = { ...before, amount, localAmount };
  const after = type === "Refund" || holdId === null ? lowered : await changeHeld(desk, before, { ...lowered, holdId });
  await updateTransaction(sql, after, { at });
  await countLimits(desk, before, -part.amount);
  await tell(desk, after);
  return after;
}

async function changeHeld(
  desk: Desk,
  before: CardTransaction,
  lowered: CardTransaction & { readonly holdId: string },
): Promise<CardTransaction> {
  const { sql, card, accounts, at } = desk;
  const { merchantId, holdId, amount, creditBooked, reserveBooked } = lowered;
  const fees = spendingFees(desk, { ...lowered, more: false });
  await useCounters(desk, fees.counters);
  const whole = larger(amount + fees.cardholderFee, creditBooked);
  const borne = await creditBorne(desk, whole, { booked: creditBooked, held: before.creditTotal - creditBooked });
  const creditTotal = card.creditAccountId === null ? 0n : borne;
  const reserveTotal = larger(amount + fees.reserveFee, reserveBooked);
  const lines = [{ accountId: accounts.idOf("reserve"), amount: reserveTotal - reserveBooked }];
  if (card.creditAccountId !== null) {
    lines.push({ accountId: card.creditAccountId, amount: creditTotal - creditBooked });
  }
  await changeHold(sql, { merchantId, holdId, transactionId: uuid7(at), at, lines });
  const { smallFee, smallCost } = fees;
  return { ...lowered, ...fees.shown, creditTotal, reserveTotal, smallFee, smallCost };
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);
