import { reserve as bounds } from "../../limits.ts";
import { type ClosedBook, dayEnds, onClosedBook, statementOf } from "./closing.ts";
import { dayAt } from "./day.ts";
import type { ReserveDeps } from "./orders.ts";
import { foldLines, type ReserveStatement } from "./statement.ts";
import { selectStatements } from "./statement-store.ts";

export interface StatementRange {
  readonly merchantId: number;
  /** Days since 1970 in the merchant's time zone, both included. */
  readonly fromDay?: number;
  /** The present day when absent. */
  readonly toDay?: number;
}

/**
 * The statements of a period, rising: closed days as they are stored, the days since by folding the ledger, the present one as far as it
 * has come: `statementDaysMax` at most, or `closeDaysMax` up to the last when `fromDay` is absent. Days before the merchant's first and after the present one have none. Finished days are closed, and held against the
 * ledger, before they are answered.
 */
export async function readStatements(deps: ReserveDeps, range: StatementRange): Promise<ReserveStatement[]> {
  const read = await onClosedBook(deps, range.merchantId, async (tx, book) => {
    const { merchantId } = range;
    const today = dayAt(deps.clock.now(), book.utcOffsetMinutes);
    const toDay = Math.min(range.toDay ?? today, today);
    const fromDay = range.fromDay ?? toDay - bounds.closeDaysMax + 1;
    const stored = await selectStatements(tx, { merchantId, fromDay, toDay, limit: bounds.statementDaysMax });
    const openDays = Math.min(toDay, fromDay + bounds.statementDaysMax - 1) - book.nextDay + 1;
    const open = openDays > 0 ? await foldOpenDays(tx, book, openDays) : [];
    return [...stored, ...open.filter(({ day }) => day >= fromDay)].slice(0, bounds.statementDaysMax);
  });
  return read ?? [];
}

async function foldOpenDays(
  tx: Parameters<typeof foldLines>[0],
  book: ClosedBook,
  days: number,
): Promise<ReserveStatement[]> {
  const ends = dayEnds(book, days);
  const { merchantId, accountId } = book;
  const starts = [book.last?.untilAt ?? 0, ...ends.slice(0, -1)];
  const lines = await foldLines(tx, { merchantId, accountId, starts, end: ends.at(-1) ?? null });
  const statements: ReserveStatement[] = [];
  for (const [index, untilAt] of ends.entries()) {
    const previous = statements.at(-1) ?? book.last;
    statements.push(statementOf({ previous, day: book.nextDay + index, untilAt, lines: lines[index] ?? {} }));
  }
  return statements;
}
