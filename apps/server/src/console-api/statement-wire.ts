import { decimalsOf, formatAmount } from "@cardwright/money";
import { z } from "zod";
import { dayText, type ReserveBalance, type ReserveStatement, statementLines } from "#merchants/index.ts";
import { timeMs } from "./request-parts.ts";

const usd = (minor: bigint): string => formatAmount(minor, decimalsOf("USD"));

const balance = {
  available: z.string().meta({ examples: ["100.00"] }),
  held: z.string(),
  total: z.string(),
};

export const statementAnswer = z
  .strictObject({
    day: z.string().meta({ description: "In the merchant's time zone.", examples: ["2026-11-22"] }),
    currency: z.literal("USD"),
    from_at: timeMs,
    until_at: timeMs,
    closed: z.boolean().meta({ description: "False: the day goes on, or ended a moment ago." }),
    revision: z.int().meta({
      description: "0 before it is closed, then 1, and one more each time that movements committed late were added.",
    }),
    opening: z.strictObject(balance),
    lines: z.array(
      z.strictObject({ line: z.enum(statementLines), postings: z.int(), ...balance }).meta({
        description:
          "Signed changes. Holds move money between available and held; a purchase is taken from what was held.",
      }),
    ),
    closing: z.strictObject(balance),
  })
  .meta({ description: "opening + all lines = closing, in every column." });

export function statementToWire(statement: ReserveStatement): z.infer<typeof statementAnswer> {
  return {
    day: dayText(statement.day),
    currency: "USD",
    from_at: statement.fromAt,
    until_at: statement.untilAt,
    closed: statement.revision > 0,
    revision: statement.revision,
    opening: balanceToWire(statement.opening),
    lines: statementLines.flatMap((line) => {
      const sum = statement.lines[line];
      return sum === undefined ? [] : [{ line, postings: Number(sum.postings), ...balanceToWire(sum) }];
    }),
    closing: balanceToWire(statement.closing),
  };
}

function balanceToWire({ available, held }: ReserveBalance) {
  return { available: usd(available), held: usd(held), total: usd(available + held) };
}

/** One row for the opening, each line and the closing of each day (RFC 4180). No field can hold a comma, a quote or a formula. */
export function statementsToCsv(statements: readonly ReserveStatement[]): string {
  const rows = statements.flatMap((statement) => {
    const { day, opening, lines, closing } = statementToWire(statement);
    const entries = [
      { line: "opening", postings: "", ...opening },
      ...lines,
      { line: "closing", postings: "", ...closing },
    ];
    return entries.map(({ line, postings, available, held, total }) =>
      [day, line, postings, available, held, total].join(","),
    );
  });
  return ["day,line,postings,available,held,total", ...rows, ""].join("\r\n");
}
