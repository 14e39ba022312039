import { type FoldedMovements, foldMovements } from "#ledger/index.ts";

/** The lines of a statement, in the order in which they are shown. */
export const statementLines = [
  "recharges",
  "purchases",
  "costs",
  "refunds",
  "reversals",
  "fees",
  "opening_costs",
  "withdrawals",
  "adjustments",
  "holds_placed",
  "holds_released",
  "other",
] as const;
export type StatementLine = (typeof statementLines)[number];

/** Minor units of USD: what can be spent, and what open holds keep. */
export interface ReserveBalance {
  readonly available: bigint;
  readonly held: bigint;
}

/** Signed changes of both buckets, and how many postings made them. */
export interface LineSum extends ReserveBalance {
  readonly postings: bigint;
}

export type LineSums = Partial<Record<StatementLine, LineSum>>;

/** What one day did to a reserve: opening + lines = closing, in both buckets. */
export interface ReserveStatement {
  /** Days since 1970 in the merchant's time zone. */
  readonly day: number;
  /** Unix ms; a movement belongs to the day when `fromAt` ≤ its time < `untilAt`. */
  readonly fromAt: number;
  readonly untilAt: number;
  readonly opening: ReserveBalance;
  readonly lines: LineSums;
  readonly closing: ReserveBalance;
  /** 0 for a day that is not closed, then 1, and one more for each time that late movements were added. */
  readonly revision: number;
}

/** Clearings, refunds and reversals move the amount to or from the network's account, and the BIN's costs to the platform's income. */
export function lineOf({ kind, counterparty }: Pick<FoldedMovements, "kind" | "counterparty">): StatementLine {
  if (counterparty === "placed") return "holds_placed";
  if (counterparty === "released") return "holds_released";
  switch (kind) {
    case "post":
      return counterparty === "platform_income" ? "costs" : "purchases";
    case "refund":
      return counterparty === "platform_income" ? "costs" : "refunds";
    case "reversal":
      return counterparty === "platform_income" ? "costs" : "reversals";
    case "recharge":
      return "recharges";
    case "fee":
      return "fees";
    case "open_card":
      return "opening_costs";
    case "withdrawal":
      return "withdrawals";
    case "adjustment":
      return "adjustments";
    default:
      // A kind of transaction that comes to the ledger later is never missing from a statement.
      return "other";
  }
}

const nothing: LineSum = { postings: 0n, available: 0n, held: 0n };

/** The lines of each of the periods that the movements were folded into. */
export function linesByPeriod(movements: readonly FoldedMovements[], periods: number): LineSums[] {
  const lines: LineSums[] = Array.from({ length: periods }, () => ({}));
  for (const movement of movements) {
    const sums = lines[movement.period];
    if (sums === undefined) throw new Error("a movement was folded into a period that was not asked for");
    const line = lineOf(movement);
    sums[line] = plus(sums[line] ?? nothing, movement);
  }
  return lines;
}

export async function foldLines(...request: Parameters<typeof foldMovements>): Promise<LineSums[]> {
  return linesByPeriod(await foldMovements(...request), request[1].starts.length);
}

function plus(left: LineSum, right: LineSum): LineSum {
  return {
    postings: left.postings + right.postings,
    available: left.available + right.available,
    held: left.held + right.held,
  };
}

export function after(opening: ReserveBalance, lines: LineSums): ReserveBalance {
  const { available, held } = Object.values(lines).reduce(plus, { ...nothing, ...opening });
  return { available, held };
}

export function sameLines(left: LineSums, right: LineSums): boolean {
  return statementLines.every((line) => {
    const [one, other] = [left[line] ?? nothing, right[line] ?? nothing];
    return one.postings === other.postings && one.available === other.available && one.held === other.held;
  });
}

export function sameBalance(left: ReserveBalance, right: ReserveBalance): boolean {
  return left.available === right.available && left.held === right.held;
}
