import { orderNumber } from "#kernel/index.ts";
import { lockAvailable } from "#ledger/index.ts";
import type { SideFees } from "./both-sides.ts";
import { giveBackCleared, refundable, takeRefundBack } from "./give-back.ts";
import { type Changing, endHold, heldAccounts, localText, lowerHeld, uncleared } from "./held.ts";
import { saveCounters } from "./locked-card.ts";
import { pushTransaction } from "./push.ts";
import type { ReversalEffect } from "./reversal-message.ts";
import { partsOf, type ReversedPart, type Reversible, type Wanted } from "./reversal-parts.ts";
import { type CardTransaction, insertTransaction, updateTransaction } from "./transaction-store.ts";

export interface Undone {
  readonly effect: Exclude<ReversalEffect, "no_effect" | "stored" | "card_not_found" | "duplicate">;
  /** The consumption that tells the merchant of it (contract section 4). */
  readonly reversal: CardTransaction;
  /** What the network settles for it, minor units of the card's currency; negative when it is paid to us. */
  readonly settledAmount: bigint;
}

/** A consumption with what is to be undone of it. */
interface Undoing {
  readonly transaction: CardTransaction;
  readonly part: ReversedPart;
}

interface Order {
  readonly original: CardTransaction;
  /** In the order in which they are undone. */
  readonly family: readonly CardTransaction[];
  readonly wanted: Wanted;
}

/**
 * Undoes what is still held of a family of consumptions; where nothing is held any more, what was cleared. Null when nothing is left
 * of either. Every consumption that changes is pushed, and then the `Reversal`.
 */
export async function undo(changing: Changing, order: Order): Promise<Undone | null> {
  const held = cut(order, isHeld, uncleared);
  if (held.length > 0) {
    return undoHeld(changing, order, held);
  }
  const cleared = order.family.some(isHeld) ? [] : cut(order, isCleared, refundable);
  return cleared.length > 0 ? undoCleared(changing, order, cleared) : null;
}

/** A refund that was authorized is pending like a purchase; it only holds no money. */
const isHeld = ({ status, stage, type }: CardTransaction): boolean =>
  stage === "held" || (type === "Refund" && status === "Pending");
const spendings: readonly CardTransaction["type"][] = ["Consumption", "Atm", "Refund"];
const isCleared = ({ status, stage, type }: CardTransaction): boolean =>
  status === "Success" && stage === "done" && spendings.includes(type);

function cut(
  { family, wanted }: Order,
  is: (transaction: CardTransaction) => boolean,
  leftOf: (transaction: CardTransaction) => Reversible,
): Undoing[] {
  const concerned = family.filter(is);
  const parts = partsOf(concerned.map(leftOf), wanted);
  return concerned.flatMap((transaction, index) => {
    const part = parts[index];
    return part === undefined || part.amount === 0n ? [] : [{ transaction, part }];
  });
}

async function undoHeld(changing: Changing, order: Order, undoings: readonly Undoing[]): Promise<Undone> {
  const { sql, at } = changing;
  await lockAvailable(sql, {
    merchantId: changing.card.merchantId,
    accountIds: heldAccounts(
      changing,
      undoings.map(({ transaction }) => transaction),
    ),
  });
  let card = changing.card;
  const totals = { credit: 0n, reserve: 0n };
  for (const { transaction, part } of undoings) {
    const whole = part.amount === uncleared(transaction).left;
    const changed = whole
      ? await endHold({ ...changing, card }, transaction, { kind: "void", remark: "reversed" })
      : await lowerHeld({ ...changing, card }, transaction, part);
    card = { ...card, counters: changed.counters };
    const next = { ...changed.transaction, feeDue: feeDueAfter(changing, changed.transaction) };
    totals.credit += transaction.creditTotal - next.creditTotal;
    totals.reserve += transaction.reserveTotal - next.reserveTotal;
    await updateTransaction(sql, next, { at });
    await pushTransaction(sql, next, { at });
  }
  if (card.counters !== changing.card.counters) {
    await saveCounters(sql, card, card.counters);
  }
  const ended = order.family.filter(isHeld).every((transaction) => {
    const undoing = undoings.find((one) => one.transaction === transaction);
    return transaction.clearedAmount === 0n && undoing?.part.amount === uncleared(transaction).left;
  });
  const effect = ended ? "reversed" : "partially_reversed";
  const number = orderNumber("O", at);
  const reversal = await writeReversal(changing, order, { number, undoings, totals, booked: nothing, fees: [] });
  return { effect, reversal, settledAmount: 0n };
}

/** A purchase that was reversed in full before clearing may cost a cancel fee, which is charged by itself; an increment is a part of one. */
function feeDueAfter({ schedules }: Changing, transaction: CardTransaction): CardTransaction["feeDue"] {
  const { status, type, consumeRelateNo, feeDue } = transaction;
  const cancelled = status === "Fail" && type === "Consumption" && consumeRelateNo === "";
  const costs = schedules.reserve.cancelFee > 0n || (schedules.cardholder?.cancelFee ?? 0n) > 0n;
  return cancelled && costs ? "cancel" : feeDue;
}

async function undoCleared(changing: Changing, order: Order, undoings: readonly Undoing[]): Promise<Undone> {
  const { sql, at, card, accounts } = changing;
  const own = card.creditAccountId;
  const ids = [accounts.idOf("reserve"), accounts.idOf("settlement"), accounts.idOf("platform_income")];
  const ofCredit = own === null ? [] : [own, accounts.idOf("spending"), accounts.idOf("merchant_income")];
  await lockAvailable(sql, { merchantId: card.merchantId, accountIds: [...ids, ...ofCredit] });
  const number = orderNumber("O", at);
  const fees: SideFees[] = [];
  const amount = undoings.reduce((sum, { part }) => sum + part.amount, 0n);
  const totals = { credit: own === null ? 0n : amount, reserve: amount };
  for (const { transaction, part } of undoings) {
    let next: CardTransaction;
    if (transaction.type === "Refund") {
      next = await takeRefundBack(changing, transaction, { part, reference: number });
    } else {
      const given = await giveBackCleared(changing, transaction, { part, reference: number });
      fees.push(given.fees);
      totals.credit -= own === null ? 0n : part.amount - given.toCardholder + (given.fees.cardholder?.total ?? 0n);
      totals.reserve -= given.fees.reserve.total;
      next = given.transaction;
    }
    await updateTransaction(sql, next, { at });
    await pushTransaction(sql, next, { at });
  }
  const reversal = await writeReversal(changing, order, { number, undoings, totals, booked: totals, fees });
  const settledAmount = order.original.type === "Refund" ? amount : -amount;
  return { effect: "reversed_after_clearing", reversal, settledAmount };
}

interface Sides {
  readonly credit: bigint;
  readonly reserve: bigint;
}
const nothing: Sides = { credit: 0n, reserve: 0n };

/**
 * The `Reversal` consumption, one for each message. Its totals are what each side got back (of a refund: gave back), fees that came back
 * included and fees for it taken off. Booked is what was moved for good: nothing where only a hold was lowered.
 */
async function writeReversal(
  { sql, at }: Changing,
  { original }: Order,
  back: {
    readonly number: string;
    readonly undoings: readonly Undoing[];
    readonly totals: Sides;
    readonly booked: Sides;
    readonly fees: readonly SideFees[];
  },
): Promise<CardTransaction> {
  const { number, undoings, totals, booked, fees } = back;
  const feeRows = mergedRows(fees.map(({ shown }) => shown));
  const local = undoings.reduce((sum, { part }) => sum + part.localAmount, 0n);
  const reversal: CardTransaction = {
    ...original,
    consumeNo: number,
    consumeRelateNo: original.consumeNo,
    type: "Reversal",
    status: "Success",
    stage: "done",
    amount: undoings.reduce((sum, { part }) => sum + part.amount, 0n),
    fee: feeRows.reduce((sum, row) => sum + row.amount, 0n),
    feeRows,
    // Never below zero: a small fee can make a lowered hold grow, and a fee can be more than what comes back.
    creditTotal: atLeastZero(totals.credit),
    reserveTotal: atLeastZero(totals.reserve),
    clearedAmount: 0n,
    creditBooked: atLeastZero(booked.credit),
    reserveBooked: atLeastZero(booked.reserve),
    refundedAmount: 0n,
    localAmount: localText(original, local),
    remark: "",
    detail: "",
    // The message is found by its own reference in network_message; here it would be taken for an authorization's.
    networkReference: "",
    holdId: null,
    feeDue: "",
    smallFee: "open",
    smallCost: "open",
    createdAt: at,
  };
  await insertTransaction(sql, reversal);
  await pushTransaction(sql, reversal, { at });
  return reversal;
}

const atLeastZero = (amount: bigint): bigint => (amount > 0n ? amount : 0n);

/** One row for each kind of fee, however many consumptions it was computed for. */
function mergedRows(fees: readonly Pick<SideFees["shown"], "rows">[]): CardTransaction["feeRows"] {
  const sums = new Map<CardTransaction["feeRows"][number]["feeType"], bigint>();
  for (const { feeType, amount } of fees.flatMap(({ rows }) => rows)) {
    sums.set(feeType, (sums.get(feeType) ?? 0n) + amount);
  }
  return [...sums].map(([feeType, amount]) => ({ feeType, amount }));
}
