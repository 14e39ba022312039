import { isCurrency } from "@cardwright/money";
import type { Pool } from "pg";
import type { Sql } from "#database/index.ts";
import { headerLine, rowLine, type SettledKind, trailerLine } from "#settlement/index.ts";
import { type BookPlace, insertSent, selectBookPage, selectBookTotals } from "./network-book-store.ts";

/** A clearing, refund or reversal as the sandbox's card network has sent it, and what it settles for it. */
export interface SentMessage {
  readonly networkReference: string;
  /** Of the authorization; empty when there was none. */
  readonly originalReference: string;
  readonly merchantId: number;
  readonly kind: SettledKind;
  readonly lastFour: string;
  /** Minor units of `currency`, never negative. */
  readonly amount: bigint;
  readonly currency: string;
  /** Minor units of USD; negative when the network pays. */
  readonly settledUsd: bigint;
  /** Unix ms by the sandbox's clock; decides the day's file that it is in. */
  readonly at: number;
}

/** Rows read at once: 0.4 MB, whatever the day's size. */
const pageRows = 2_000;
const dayMs = 86_400_000;

/**
 * Writes down what was sent, by the side that plays the network, once the platform has accepted it. The same reference again has no
 * effect. What settles nothing (a reversal before its clearing) is not in the network's files: leave it out.
 */
export async function recordSent(sql: Sql, sent: SentMessage): Promise<void> {
  await insertSent(sql, sent);
}

/** Whether a day has ended: before, its file would still change. */
export const isDayOver = (day: string, now: number): boolean => now >= startOf(day) + dayMs;

const startOf = (day: string): number => Date.parse(`${day}T00:00:00.000Z`);

/** The network's file of a day that is over (`yyyy-mm-dd`, UTC), in pieces; the same bytes every time. */
export async function* settlementFile(pool: Pool, day: string): AsyncGenerator<string> {
  const [from, before] = [startOf(day), startOf(day) + dayMs];
  const totals = await selectBookTotals(pool, { from, before });
  yield headerLine({ fileId: `sandbox-${day}`, network: "sandbox", settlementDate: day, rows: totals.rows });
  let after: BookPlace | null = { at: from, merchantId: -1, networkReference: "" };
  while (after !== null) {
    const { sent, last } = await selectBookPage(pool, { after, before, limit: pageRows });
    yield sent.map(lineOf).join("");
    after = sent.length < pageRows ? null : last;
  }
  yield trailerLine(totals);
}

function lineOf(sent: SentMessage): string {
  const { currency } = sent;
  if (!isCurrency(currency)) {
    throw new Error("the network's book has an unknown currency");
  }
  return rowLine({ ...sent, currency, settledAmount: sent.settledUsd });
}
