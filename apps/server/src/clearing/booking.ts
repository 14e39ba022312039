import { uuid7 } from "#kernel/index.ts";
import { capture, findAccount, type Posting, voidHolds } from "#ledger/index.ts";
import type { MerchantAccounts } from "./accounts.ts";
import { type Desk, lockAccounts } from "./desk.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** What a purchase has taken for good when its clearings so far are booked; minor units. */
export interface Target {
  /** Of all parts together, without fees. */
  readonly cleared: bigint;
  /** Of all parts together, by each side's schedule. */
  readonly cardholderFee: bigint;
  readonly reserveFee: bigint;
}

/** The present state of one purchase's money. */
type Before = Pick<
  CardTransaction,
  "consumeNo" | "stage" | "holdId" | "clearedAmount" | "creditTotal" | "creditBooked" | "reserveTotal" | "reserveBooked"
>;

export interface BookingPlan {
  readonly postings: readonly Posting[];
  readonly creditBooked: bigint;
  readonly reserveBooked: bigint;
  /** What stays held when the rest is kept for later parts. */
  readonly creditHeld: bigint;
  readonly reserveHeld: bigint;
}

type Booker = Pick<Desk, "sql" | "card" | "accounts" | "shortfall">;

/**
 * What must move so that everything cleared so far, with its fees, is booked: the difference to what was booked before. Locks the
 * accounts where the plan depends on what is available.
 */
export async function planBooking(booker: Booker, before: Before, target: Target): Promise<BookingPlan> {
  const { accounts, card } = booker;
  const held = heldOf(before);
  const reserve = accounts.idOf("reserve");
  const reservePostings = [
    ...moved(reserve, accounts.idOf("settlement"), target.cleared - before.clearedAmount),
    ...moved(
      reserve,
      accounts.idOf("platform_income"),
      target.reserveFee - (before.reserveBooked - before.clearedAmount),
    ),
  ];
  const whole = target.cleared + target.cardholderFee;
  const creditBooked =
    card.creditAccountId === null
      ? 0n
      : await creditBorne(booker, whole, { booked: before.creditBooked, held: held.credit, withBonus: true });
  const creditPostings =
    card.creditAccountId === null
      ? []
      : creditMoves(accounts, {
          cardholder: card.creditAccountId,
          before: creditFlows({ cleared: before.clearedAmount, booked: before.creditBooked }),
          after: creditFlows({ cleared: target.cleared, booked: creditBooked }),
        });
  return {
    postings: [...creditPostings, ...reservePostings],
    creditBooked,
    reserveBooked: target.cleared + target.reserveFee,
    creditHeld: left(held.credit, creditPostings, card.creditAccountId),
    reserveHeld: left(held.reserve, reservePostings, reserve),
  };
}

/** Carries a plan out. `keep` leaves what is still held for later parts; otherwise it is available again, `release` says why. */
export async function carryOut(
  booker: Booker,
  before: Before,
  plan: BookingPlan,
  options: { readonly keep: boolean; readonly release: "void" | "expire"; readonly at: number },
): Promise<void> {
  const { sql, card } = booker;
  const { merchantId } = card;
  const { keep, release, at } = options;
  const holdId = before.stage === "held" ? before.holdId : null;
  const transactionId = uuid7(at);
  if (plan.postings.length > 0) {
    const taken = { merchantId, holdId, transactionId, reference: before.consumeNo, at, keep };
    await capture(sql, { ...taken, postings: plan.postings });
  } else if (holdId !== null && !keep) {
    await voidHolds(sql, { kind: release, holds: [{ merchantId, holdId, transactionId }], at });
  }
}

/** What an open one still holds on each side. */
export function heldOf(
  before: Pick<Before, "stage" | "creditTotal" | "creditBooked" | "reserveTotal" | "reserveBooked">,
): {
  readonly credit: bigint;
  readonly reserve: bigint;
} {
  return before.stage === "held"
    ? { credit: before.creditTotal - before.creditBooked, reserve: before.reserveTotal - before.reserveBooked }
    : { credit: 0n, reserve: 0n };
}

/**
 * How much the cardholder's account bears in all of what a purchase has cost: everything, or by the `absorb` policy no more than it has
 * borne, holds and has available; and, where it is repaid from the bonus at once (`withBonus`), than that has. Locks the accounts where
 * it depends on them.
 */
export async function creditBorne(
  booker: Booker,
  whole: bigint,
  has: { readonly booked: bigint; readonly held: bigint; readonly withBonus?: boolean },
): Promise<bigint> {
  const { sql, card, shortfall } = booker;
  const { merchantId, cardholderNo: owner, creditAccountId } = card;
  if (shortfall === "overdraw" || creditAccountId === null) {
    return whole;
  }
  const bonus = has.withBonus === true ? await findAccount(sql, { merchantId, kind: "bonus", owner }) : null;
  const available = await lockAccounts(booker, bonus === null ? [] : [bonus.accountId]);
  const inBonus = bonus === null ? 0n : (available.get(bonus.accountId) ?? 0n);
  const free = (available.get(creditAccountId) ?? 0n) + inBonus;
  const possible = has.booked + has.held + (free > 0n ? free : 0n);
  return whole < possible ? whole : possible;
}

/** The credit side as three streams: what the account has borne goes to the amount first, then to the fees; income bears the rest. */
interface CreditFlows {
  readonly toSpending: bigint;
  readonly toIncome: bigint;
  readonly absorbed: bigint;
}

function creditFlows({ cleared, booked }: { readonly cleared: bigint; readonly booked: bigint }): CreditFlows {
  return booked >= cleared
    ? { toSpending: cleared, toIncome: booked - cleared, absorbed: 0n }
    : { toSpending: booked, toIncome: 0n, absorbed: cleared - booked };
}

function creditMoves(
  accounts: MerchantAccounts,
  change: { readonly cardholder: string; readonly before: CreditFlows; readonly after: CreditFlows },
): Posting[] {
  const { cardholder, before, after } = change;
  const income = accounts.idOf("merchant_income");
  const spending = accounts.idOf("spending");
  return [
    ...moved(cardholder, spending, after.toSpending - before.toSpending),
    ...moved(cardholder, income, after.toIncome - before.toIncome),
    ...moved(income, spending, after.absorbed - before.absorbed),
  ];
}

/** A posting, the other way round for a negative amount, or none. */
export function moved(source: string, destination: string, amount: bigint): Posting[] {
  if (amount === 0n) {
    return [];
  }
  return amount > 0n
    ? [{ source, destination, amount }]
    : [{ source: destination, destination: source, amount: -amount }];
}

/** What the capture leaves of a hold: it takes from it first, and nothing is ever put back into it. */
function left(held: bigint, postings: readonly Posting[], account: string | null): bigint {
  const taken = postings.reduce((sum, { source, amount }) => (source === account ? sum + amount : sum), 0n);
  return held > taken ? held - taken : 0n;
}
