import { inTransaction, type Sql } from "#database/index.ts";
import { findAccount } from "#ledger/index.ts";
import { reserve as bounds } from "../../limits.ts";
import { selectMerchant } from "../store.ts";
import { lockBook, saveClosed, selectMerchantsToClose } from "./book-store.ts";
import { dayAt, startOfDay } from "./day.ts";
import type { ReserveDeps } from "./orders.ts";
import {
  after,
  foldLines,
  type LineSums,
  type ReserveBalance,
  type ReserveStatement,
  sameBalance,
  sameLines,
} from "./statement.ts";
import { insertStatements, restateDay, selectStatementsBefore } from "./statement-store.ts";

/** The state of a merchant's closed days in one snapshot of the database. */
export interface ClosedBook {
  readonly merchantId: number;
  readonly accountId: string;
  readonly utcOffsetMinutes: number;
  /** The reserve as it is now. */
  readonly balance: ReserveBalance;
  /** The last closed day; null before the first. */
  readonly last: ReserveStatement | null;
  /** The day that follows it. */
  readonly nextDay: number;
}

/**
 * One round of the worker: closes the finished days of merchants that have some, at most `closeDaysMax` each. Answers how many days. A
 * merchant whose days cannot be closed does not keep the others from it; the first failure is thrown at the end.
 */
export async function closeFinishedDays(deps: ReserveDeps): Promise<number> {
  const due = await selectMerchantsToClose(deps.pool, {
    finishedBefore: deps.clock.now() - bounds.closeDelayMs,
    limit: bounds.closeMerchantsMax,
  });
  let days = 0;
  const failures: unknown[] = [];
  for (const merchantId of due) {
    try {
      days += await closeDays(deps, merchantId);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  return days;
}

/**
 * Closes finished days of one merchant, and holds the closed ones against the ledger: those of the last week are folded again, and all of them
 * must lead to the reserve's present balance. What was committed after its day was closed is found so and added to its day.
 */
async function closeDays(deps: ReserveDeps, merchantId: number): Promise<number> {
  return (await inClosedBook(deps, merchantId, async (_tx, _book, closed) => closed)) ?? 0;
}

/**
 * Runs `work` on the merchant's closed days in the same snapshot in which they were closed and compared; null for a merchant that does
 * not exist. One at a time for each merchant: who comes second finds the row changed and begins anew.
 */
async function inClosedBook<Outcome>(
  deps: ReserveDeps,
  merchantId: number,
  work: (tx: Sql, book: ClosedBook, closed: number) => Promise<Outcome>,
): Promise<Outcome | null> {
  return inTransaction(
    deps.pool,
    async (tx) => {
      const opened = await openBook(tx, merchantId);
      if (opened === null) return null;
      const { book, closed } = await close(tx, opened, deps.clock.now());
      return work(tx, book, closed);
    },
    { isolation: "REPEATABLE READ" },
  );
}

/** The same when there may be more to close than one transaction should: after a rest of the worker, or a step of the sandbox's clock. */
export async function onClosedBook<Outcome>(
  deps: ReserveDeps,
  merchantId: number,
  work: (tx: Sql, book: ClosedBook) => Promise<Outcome>,
): Promise<Outcome | null> {
  for (let round = 1; ; round += 1) {
    const done = await inClosedBook(deps, merchantId, async (tx, book, closed) => {
      const hasMore = closed === bounds.closeDaysMax && round < bounds.closeRoundsMax;
      return hasMore ? "more" : { outcome: await work(tx, book) };
    });
    if (done === null) return null;
    if (done !== "more") return done.outcome;
  }
}

async function openBook(tx: Sql, merchantId: number): Promise<ClosedBook | null> {
  await lockBook(tx, merchantId);
  const merchant = await selectMerchant(tx, merchantId);
  const account = await findAccount(tx, { merchantId, kind: "reserve", owner: "" });
  if (merchant === null || account === null) return null;
  const [last = null] = await selectStatementsBefore(tx, { merchantId, day: lastDayEver, limit: 1 });
  const { utcOffsetMinutes } = merchant;
  return {
    merchantId,
    accountId: account.accountId,
    utcOffsetMinutes,
    balance: { available: account.available, held: account.held },
    last,
    nextDay: last === null ? dayAt(merchant.createdAt, utcOffsetMinutes) : last.day + 1,
  };
}

/** Above every day; fits Postgres' integer. */
const lastDayEver = 2_147_483_647;

async function close(
  tx: Sql,
  opened: ClosedBook,
  now: number,
): Promise<{ readonly book: ClosedBook; readonly closed: number }> {
  const { merchantId, accountId, last, nextDay } = opened;
  const lastFinished = dayAt(now - bounds.closeDelayMs, opened.utcOffsetMinutes) - 1;
  const days = Math.min(Math.max(0, lastFinished - nextDay + 1), bounds.closeDaysMax);
  const ends = dayEnds(opened, days);
  const until = ends.at(-1) ?? last?.untilAt ?? 0;
  const isCaughtUp = nextDay + days > lastFinished;
  const againDays = days > 0 ? bounds.foldAgainDays : 1;
  const stored = (await selectStatementsBefore(tx, { merchantId, day: nextDay, limit: againDays })).toReversed();
  // The periods: closed days once more, the days that are closed now, and the time since.
  const starts = [...stored.map(({ fromAt }) => fromAt), last?.untilAt ?? 0, ...ends];
  const lines = isCaughtUp
    ? await foldLines(tx, { merchantId, accountId, starts, end: null })
    : await foldLines(tx, { merchantId, accountId, starts: starts.slice(0, -1), end: until });
  const added = await compareDays(tx, { merchantId, stored, lines, at: now });
  const again = last === null ? null : { ...last, closing: plus(last.closing, added) };
  const statements: ReserveStatement[] = [];
  for (const [index, untilAt] of ends.entries()) {
    const previous = statements.at(-1) ?? again;
    const own = lines[stored.length + index] ?? {};
    statements.push({ ...statementOf({ previous, day: nextDay + index, untilAt, lines: own }), revision: 1 });
  }
  const newest = statements.at(-1) ?? again;
  const book = { ...opened, last: newest, nextDay: nextDay + days };
  if (newest !== null && days > 0) {
    await insertStatements(tx, { merchantId, statements, at: now });
    await saveClosed(tx, { merchantId, day: newest.day, until: newest.untilAt });
  }
  if (!isCaughtUp) return { book, closed: days };
  const open = lines.at(-1) ?? {};
  const found = after(newest?.closing ?? zero, open);
  const missing = difference(opened.balance, found);
  if (sameBalance(missing, zero)) return { book, closed: days };
  await searchBack(tx, { book, before: stored[0]?.day ?? nextDay, missing, at: now });
  const shifted = newest === null ? null : { ...newest, closing: plus(newest.closing, missing) };
  return { book: { ...book, last: shifted }, closed: days };
}

const zero: ReserveBalance = { available: 0n, held: 0n };

function plus(left: ReserveBalance, right: ReserveBalance): ReserveBalance {
  return { available: left.available + right.available, held: left.held + right.held };
}

function difference(left: ReserveBalance, right: ReserveBalance): ReserveBalance {
  return { available: left.available - right.available, held: left.held - right.held };
}

/** Where days that follow each other end; a change of the merchant's time zone makes the first of them longer or shorter. */
export function dayEnds(book: ClosedBook, days: number): number[] {
  const ends: number[] = [];
  let from = book.last?.untilAt ?? 0;
  for (let index = 0; index < days; index += 1) {
    from = Math.max(from, startOfDay(book.nextDay + index + 1, book.utcOffsetMinutes));
    ends.push(from);
  }
  return ends;
}

/** A day that begins where and as the previous one ended; the first of a merchant begins with nothing. */
export function statementOf(parts: {
  readonly previous: ReserveStatement | null;
  readonly day: number;
  readonly untilAt: number;
  readonly lines: LineSums;
}): ReserveStatement {
  const { previous, day, untilAt, lines } = parts;
  const opening = previous?.closing ?? zero;
  const closing = after(opening, lines);
  return { day, fromAt: previous?.untilAt ?? 0, untilAt, opening, lines, closing, revision: 0 };
}

/** Adds to closed days what they lack; answers what that is in all. */
async function compareDays(
  tx: Sql,
  days: {
    readonly merchantId: number;
    readonly stored: readonly ReserveStatement[];
    readonly lines: readonly LineSums[];
    readonly at: number;
  },
): Promise<ReserveBalance> {
  const { merchantId, stored, at } = days;
  let added = zero;
  for (const [index, { day, opening, closing, ...known }] of stored.entries()) {
    const lines = days.lines[index] ?? {};
    if (sameLines(known.lines, lines)) continue;
    const lacked = difference(after(opening, lines), closing);
    await restateDay(tx, { merchantId, day, lines, difference: lacked, at });
    added = plus(added, lacked);
  }
  return added;
}

/**
 * Something is missing from a closed day: the days are folded again, from the latest back, until what was found makes up for the whole
 * difference. Finding less than that would mean that the ledger contradicts itself.
 */
async function searchBack(
  tx: Sql,
  search: {
    readonly book: ClosedBook;
    readonly before: number;
    readonly missing: ReserveBalance;
    readonly at: number;
  },
): Promise<void> {
  const { merchantId, accountId } = search.book;
  let { before, missing } = search;
  while (!sameBalance(missing, zero)) {
    const newestFirst = await selectStatementsBefore(tx, { merchantId, day: before, limit: bounds.closeDaysMax });
    const stored = newestFirst.toReversed();
    const end = stored.at(-1)?.untilAt;
    if (end === undefined) {
      throw new Error("the statements of a reserve do not lead to its balance");
    }
    const lines = await foldLines(tx, { merchantId, accountId, starts: stored.map(({ fromAt }) => fromAt), end });
    missing = difference(missing, await compareDays(tx, { merchantId, stored, lines, at: search.at }));
    before = stored[0]?.day ?? before;
  }
}
