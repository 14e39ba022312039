import { type Books, differenceFrom, money, settled } from "../books.ts";
import { type Bench, failed, nothingToJudge, passed, type Verdict } from "../check.ts";
import type { Desk } from "../desk.ts";
import type { Purchase } from "../purchase.ts";
import { type Answer, isYes, shown } from "../wire/answer.ts";
import type { Definition } from "./define.ts";

/** What a check about the books has done: how much less must be available than before, and what was not answered as it must be. */
export interface Played {
  readonly taken: bigint;
  readonly refused?: string | null;
  /** Why it was not played after all. */
  readonly notPlayed?: string | null;
}

type LedgerDefinition = Omit<Definition, "weight" | "needs" | "run" | "mode"> & {
  readonly weight?: Definition["weight"];
  readonly precision?: "exact";
  /** `available`: before it began, minor units. */
  readonly play: (desk: Desk, available: bigint, books: Books) => Promise<Played>;
};

/** A check that plays something on the card and then asks whether the available money has moved by exactly as much. */
export function ledgerCheck({ play, precision, ...definition }: LedgerDefinition): Definition {
  return {
    weight: "money",
    ...definition,
    mode: "AUTHORIZATION",
    needs: ["books"],
    run: (bench) => playAndCompare(bench, play, precision ?? "coarse"),
  };
}

async function playAndCompare(
  { desk, books }: Bench,
  play: LedgerDefinition["play"],
  precision: "coarse" | "exact",
): Promise<Verdict> {
  const before = await settled(desk, books);
  if (!before.ok || before.available < purchasesMin) {
    return nothingToJudge(before.ok ? `only ${money(before.available)} is left on the card` : before.saw);
  }
  const { taken, refused, notPlayed } = await play(desk, before.available, books);
  if (notPlayed !== undefined && notPlayed !== null) {
    return nothingToJudge(notPlayed);
  }
  if (refused !== undefined && refused !== null) {
    return failed(refused);
  }
  const expected = before.available - taken;
  const difference = await differenceFrom(desk, books, { expected, precision });
  return difference === null
    ? passed(`${money(before.available)} was available, then ${money(expected)}`)
    : failed(`${money(before.available)} was available before; then ${difference}`);
}

/** Minor units: what two purchases of 4.75 need. */
const purchasesMin = 950n;

/** The first answer that is not a yes, in a sentence; null when all are. */
export function firstRefused(answers: Readonly<Record<string, Answer>>): string | null {
  for (const [what, answer] of Object.entries(answers)) {
    if (!isYes(answer)) {
      return `${what} was answered ${shown(answer)}`;
    }
  }
  return null;
}

/** A purchase that was approved and told as `Pending`. */
export async function pendingPurchase(desk: Desk): Promise<{ purchase: Purchase; refused: string | null }> {
  const purchase = desk.purchase();
  const auth = await desk.ask(purchase);
  const pending = await desk.tell(purchase, { status: "Pending" });
  return { purchase, refused: firstRefused({ Auth: auth, "Consumption Pending": pending }) };
}

/** One that was cleared after that. */
export async function clearedPurchase(desk: Desk): Promise<{ purchase: Purchase; refused: string | null }> {
  const { purchase, refused } = await pendingPurchase(desk);
  const success = await desk.tell(purchase, { status: "Success" });
  return { purchase, refused: refused ?? firstRefused({ "Consumption Success": success }) };
}
