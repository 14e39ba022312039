import { type CurrencyCode, convert, decimalsOf, isCurrency, parseAmount, parseRate } from "@cardwright/money";
import type { Pool } from "pg";
import { sandboxRates } from "./exchange-rates.ts";
import { recordSent } from "./network-book.ts";
import { type Settled, selectSettled } from "./network-book-store.ts";
import type { SaidMessage } from "./terminal.ts";

/** What settles nothing: money that was only held, or a message too many. */
const unsettled: readonly string[] = ["reversed", "partially_reversed", "no_effect", "stored", "booked"];

/**
 * Writes a message that the platform accepted into the network's book, with what the network settles for it: its own conversion where the
 * message named one, its own rates otherwise, and for a reversal its share of what the book says about the original.
 */
export async function keepBook(pool: Pool, said: SaidMessage): Promise<void> {
  if (unsettled.includes(said.effect)) {
    return;
  }
  const settled = said.kind === "reversal" ? await reversedOf(pool, said) : presentedOf(said);
  if (settled !== null && settled.settledUsd !== 0n) {
    await recordSent(pool, { ...said, ...settled });
  }
}

function presentedOf(said: SaidMessage): Settled | null {
  const { currency } = said;
  if (!isCurrency(currency)) {
    return null;
  }
  const amount = minorOf(said.amount, currency);
  const billed = said.settledUsd === "" ? converted(amount, currency) : minorOf(said.settledUsd, "USD");
  return billed === null ? null : { amount, currency, settledUsd: said.kind === "refund" ? -billed : billed };
}

async function reversedOf(pool: Pool, said: SaidMessage): Promise<Settled | null> {
  const open = await selectSettled(pool, said);
  if (open === null || !isCurrency(open.currency) || open.settledUsd <= 0n) {
    return null;
  }
  const { currency } = open;
  const asked = said.amount === "" ? open.amount : minorOf(said.amount, currency);
  const amount = asked < open.amount ? asked : open.amount;
  const share =
    amount === open.amount ? open.settledUsd : (open.settledUsd * amount * 2n + open.amount) / (open.amount * 2n);
  const settledUsd = said.settledUsd === "" ? share : minorOf(said.settledUsd, "USD");
  return { amount, currency, settledUsd: -settledUsd };
}

function minorOf(text: string, currency: CurrencyCode): bigint {
  const parsed = parseAmount(text, decimalsOf(currency));
  if (!parsed.ok) throw new Error(`the platform accepted an amount that is ${parsed.reason}`);
  return parsed.value;
}

function converted(minor: bigint, currency: CurrencyCode): bigint | null {
  if (currency === "USD") {
    return minor;
  }
  const rate = parseRate(sandboxRates[currency] ?? "");
  return rate.ok ? convert({ minor, from: currency, to: "USD", rate: rate.value }) : null;
}
