import { findAccount, firstMovementAt } from "#ledger/index.ts";
import { reserve as bounds } from "../../limits.ts";
import { type ReserveBook, selectBook } from "./book-store.ts";
import { type ClosedBook, onClosedBook } from "./closing.ts";
import type { ReserveDeps } from "./orders.ts";
import { foldLines, type LineSums, type ReserveBalance, type StatementLine } from "./statement.ts";
import { selectStatementsBefore } from "./statement-store.ts";

/** A reserve as it stands and where it is going. Minor units of USD. */
export interface ReserveOutlook extends ReserveBalance, Omit<ReserveBook, "below"> {
  /** What purchases and costs may still take: above zero, or above the end of the grace. */
  readonly spendable: bigint;
  /** How far what could not be refused has taken it below that. */
  readonly overdraft: bigint;
  /** What a day takes at the present rate; negative when more comes back than goes. */
  readonly burnPerDay: bigint;
  /** Days, rounded down to a tenth, until nothing is available at that rate; null when it does not burn. */
  readonly lastsDays: number | null;
}

/** Money that the merchant or an operator moves says nothing about what cards cost. */
const notBurnt: ReadonlySet<StatementLine> = new Set(["recharges", "withdrawals", "adjustments"]);

const dayMs = 86_400_000n;

/**
 * The reserve with its forecast: what the last 7 days, or the time since its first movement, took from what is available by purchases,
 * holds and costs, less what refunds, reversals and released holds gave back. Null for a merchant that does not exist.
 */
export async function reserveOutlook(deps: ReserveDeps, merchantId: number): Promise<ReserveOutlook | null> {
  const now = deps.clock.now();
  return onClosedBook(deps, merchantId, async (tx, closed) => {
    const { zeroPolicy, grace, thresholds } = await selectBook(tx, merchantId);
    const account = await findAccount(tx, { merchantId, kind: "reserve", owner: "" });
    if (account === null) throw new Error("a reserve that was just read is not there");
    const first = await firstMovementAt(tx, closed);
    const since = Math.max(now - bounds.forecastWindowMs, first ?? now);
    const burnt = -(await availableChange(tx, closed, since));
    const elapsedMs = BigInt(Math.max(now - since, bounds.forecastWindowMsMin));
    const { available, held, overdraft } = account;
    return {
      available,
      held,
      overdraft,
      spendable: available + grace > 0n ? available + grace : 0n,
      zeroPolicy,
      grace,
      thresholds,
      burnPerDay: halfUp(burnt * dayMs, elapsedMs),
      lastsDays: lastsDays({ available, burnt, elapsedMs }),
    };
  });
}

/** Closed days count as they are stored; only the day in which the period begins and the time since the last one are folded. */
async function availableChange(tx: Parameters<typeof foldLines>[0], book: ClosedBook, since: number): Promise<bigint> {
  const { merchantId, accountId, nextDay } = book;
  const closedUntil = book.last?.untilAt ?? 0;
  const open = await foldLines(tx, { merchantId, accountId, starts: [Math.max(since, closedUntil)], end: null });
  const days = await selectStatementsBefore(tx, { merchantId, day: nextDay, limit: bounds.closeDaysMax });
  const within = days.filter(({ untilAt }) => untilAt > since);
  const parts = [...open];
  for (const { fromAt, untilAt, lines } of within) {
    const isWhole = fromAt >= since;
    parts.push(...(isWhole ? [lines] : await foldLines(tx, { merchantId, accountId, starts: [since], end: untilAt })));
  }
  return parts.reduce((sum, lines) => sum + burntOf(lines), 0n);
}

function burntOf(lines: LineSums): bigint {
  return Object.entries(lines)
    .filter(([line]) => ![...notBurnt].some((name) => name === line))
    .reduce((sum, [, { available }]) => sum + available, 0n);
}

function lastsDays(rate: {
  readonly available: bigint;
  readonly burnt: bigint;
  readonly elapsedMs: bigint;
}): number | null {
  const { available, burnt, elapsedMs } = rate;
  if (burnt <= 0n) return null;
  return available <= 0n ? 0 : Number((available * elapsedMs * 10n) / (burnt * dayMs)) / 10;
}

/** Half up as everywhere, away from zero when negative. */
function halfUp(amount: bigint, by: bigint): bigint {
  const sign = amount < 0n ? -1n : 1n;
  return (sign * (amount * sign * 2n + by)) / (by * 2n);
}
