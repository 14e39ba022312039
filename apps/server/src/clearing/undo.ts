import { orderNumber } from "#kernel/index.ts";
import { type Desk, lockAccounts, tell } from "./desk.ts";
import { type GivenBack, giveBackCleared, takeRefundBack } from "./give-back.ts";
import { endHold, lowerHold } from "./held.ts";
import { localText } from "./local-amount.ts";
import { partsOf, type ReversedPart, type Wanted } from "./reversal-parts.ts";
import type { SideFees } from "./side-fees.ts";
import { isCleared, isPending, type Left, refundable, uncleared } from "./transaction-state.ts";
import { type CardTransaction, insertTransaction } from "./transaction-store.ts";

export interface Undone {
  readonly effect: "reversed" | "partially_reversed" | "reversed_after_clearing";
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
  /** In the order in which they are undone: what came last first. */
  readonly family: readonly CardTransaction[];
  readonly wanted: Wanted;
}

/**
 * Undoes what is still held of a family of consumptions; where nothing is held any more, what was cleared. Null when nothing is left
 * of either. Every consumption that changes is pushed, and then the `Reversal`.
 */
export async function undo(desk: Desk, order: Order): Promise<Undone | null> {
  const held = cut(order, isPending, uncleared);
  if (held.length > 0) {
    return undoHeld(desk, order, held);
  }
  const cleared = order.family.some(isPending) ? [] : cut(order, isCleared, refundable);
  return cleared.length > 0 ? undoCleared(desk, order, cleared) : null;
}

function cut(
  { family, wanted }: Order,
  is: (transaction: CardTransaction) => boolean,
  leftOf: (transaction: CardTransaction) => Left,
): Undoing[] {
  const concerned = family.filter(is);
  const parts = partsOf(concerned.map(leftOf), wanted);
  return concerned.flatMap((transaction, index) => {
    const part = parts[index];
    return part === undefined || part.amount === 0n ? [] : [{ transaction, part }];
  });
}

async function undoHeld(desk: Desk, order: Order, undoings: readonly Undoing[]): Promise<Undone> {
  if (undoings.length > 1) {
    await lockAccounts(desk);
  }
  const totals = { credit: 0n, reserve: 0n };
  for (const { transaction, part } of undoings) {
    const whole = part.amount === uncleared(transaction).left;
    const next = whole
      ? await endHold(desk, transaction, { kind: "void", remark: "reversed", feeDue: feeDueFor(desk, transaction) })
      : await lowerHold(desk, transaction, part);
    totals.credit += transaction.creditTotal - next.creditTotal;
    totals.reserve += transaction.reserveTotal - next.reserveTotal;
  }
  const ended = order.family.filter(isPending).every((transaction) => {
    const undoing = undoings.find((one) => one.transaction === transaction);
    return transaction.clearedAmount === 0n && undoing?.part.amount === uncleared(transaction).left;
  });
  const number = orderNumber("O", desk.at);
  const reversal = await writeReversal(desk, order, { number, undoings, totals, booked: nothing, fees: [] });
  return { effect: ended ? "reversed" : "partially_reversed", reversal, settledAmount: 0n };
}

/** A purchase that is reversed in full before clearing may cost a cancel fee, which is charged by itself; an increment is a part of one. */
function feeDueFor({ schedules }: Desk, transaction: CardTransaction): CardTransaction["feeDue"] {
  const { type, consumeRelateNo, feeDue } = transaction;
  const isPurchase = type === "Consumption" && consumeRelateNo === "";
  const costs = schedules.reserve.cancelFee > 0n || (schedules.cardholder?.cancelFee ?? 0n) > 0n;
  return isPurchase && costs ? "cancel" : feeDue;
}

async function undoCleared(desk: Desk, order: Order, undoings: readonly Undoing[]): Promise<Undone> {
  if (undoings.length > 1) {
    await lockAccounts(desk);
  }
  const number = orderNumber("O", desk.at);
  const givens: GivenBack[] = [];
  for (const { transaction, part } of undoings) {
    const back = { part, reference: number };
    givens.push(
      transaction.type === "Refund"
        ? await takeRefundBack(desk, transaction, back)
        : await giveBackCleared(desk, transaction, back),
    );
  }
  const totals = {
    credit: givens.reduce((sum, { credit }) => sum + credit, 0n),
    reserve: givens.reduce((sum, { reserve }) => sum + reserve, 0n),
  };
  const fees = givens.flatMap((given) => (given.fees === null ? [] : [given.fees]));
  const reversal = await writeReversal(desk, order, { number, undoings, totals, booked: totals, fees });
  const { amount } = reversal;
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
  desk: Desk,
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
    // Never below zero: a small fee can make a lowered hold grow.
    creditTotal: atLeastZero(totals.credit),
    reserveTotal: atLeastZero(totals.reserve),
    clearedAmount: 0n,
    creditBooked: booked.credit,
    reserveBooked: booked.reserve,
    refundedAmount: 0n,
    captureLimit: null,
    localAmount: localText(local, original.localCurrency),
    remark: "",
    detail: "",
    // The message is found by its own reference in network_message; here it would be taken for an authorization's.
    networkReference: "",
    holdId: null,
    feeDue: "",
    smallFee: "open",
    smallCost: "open",
    createdAt: desk.at,
  };
  await insertTransaction(desk.sql, reversal);
  await tell(desk, reversal);
  return reversal;
}

const atLeastZero = (amount: bigint): bigint => (amount > 0n ? amount : 0n);

/** One row for each kind of fee, however many consumptions it was computed for. */
function mergedRows(fees: readonly SideFees["shown"][]): CardTransaction["feeRows"] {
  const sums = new Map<CardTransaction["feeRows"][number]["feeType"], bigint>();
  for (const { feeType, amount } of fees.flatMap(({ feeRows }) => feeRows)) {
    sums.set(feeType, (sums.get(feeType) ?? 0n) + amount);
  }
  return [...sums].map(([feeType, amount]) => ({ feeType, amount }));
}
