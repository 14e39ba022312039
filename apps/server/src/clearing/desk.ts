import { limitPeriods } from "#authorization/index.ts";
import type { Sql } from "#database/index.ts";
import { lockAvailable } from "#ledger/index.ts";
import type { ShortfallPolicy } from "#merchants/index.ts";
import { type MerchantAccounts, merchantAccounts } from "./accounts.ts";
import { moveLimits, type SideCounters, saveCounters } from "./locked-card.ts";
import { pushTransaction } from "./push.ts";
import type { Reception } from "./receive.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** Everything that changing a card's transactions needs, in one transaction of the database. */
export interface Desk extends Reception {
  readonly accounts: MerchantAccounts;
  readonly shortfall: ShortfallPolicy;
  /** The card's free counts as they are now, what was done before at this desk included. */
  counters: SideCounters;
}

export async function openDesk(reception: Reception): Promise<Desk> {
  const { sql, card } = reception;
  const { merchantId } = card;
  const shortfall = card.creditAccountId === null ? "overdraw" : await shortfallPolicyOf(sql, merchantId);
  return { ...reception, accounts: await merchantAccounts(sql, merchantId), shortfall, counters: card.counters };
}

async function shortfallPolicyOf(sql: Sql, merchantId: number): Promise<ShortfallPolicy> {
  const { rows } = await sql.query<{ shortfall_policy: ShortfallPolicy }>({
    name: "clearing_shortfall_policy",
    text: "SELECT shortfall_policy FROM merchant WHERE merchant_id = $1",
    values: [merchantId],
  });
  if (rows[0] === undefined) {
    throw new Error(`there is no merchant ${merchantId}`);
  }
  return rows[0].shortfall_policy;
}

/**
 * Locks all accounts that a card's transactions move, and `others`, at once, and answers what is available in each. Before what moves
 * money more than once: two movements could meet those of another transaction the other way round.
 */
export function lockAccounts(
  { sql, card, accounts }: Pick<Desk, "sql" | "card" | "accounts">,
  others: readonly string[] = [],
): Promise<Map<string, bigint>> {
  const { merchantId, creditAccountId } = card;
  const reserveSide = [accounts.idOf("reserve"), accounts.idOf("settlement"), accounts.idOf("platform_income")];
  const creditSide =
    creditAccountId === null ? [] : [creditAccountId, accounts.idOf("spending"), accounts.idOf("merchant_income")];
  return lockAvailable(sql, { merchantId, accountIds: [...reserveSide, ...creditSide, ...others] });
}

/**
 * Moves what a purchase counts against the product's limits by an amount (minor units; negative gives back), in the periods that it was
 * counted in. Refunds are never counted.
 */
export async function countLimits({ sql, card }: Desk, transaction: CardTransaction, amount: bigint): Promise<void> {
  const { type, createdAt } = transaction;
  if (type !== "Refund" && amount !== 0n) {
    const periods = limitPeriods(createdAt, card.utcOffsetMinutes);
    await moveLimits(sql, card, { amount, atm: type === "Atm", periods });
  }
}

/** Writes the free counts down that fees have used up; nothing to do for the very same object. */
export async function useCounters(desk: Desk, counters: SideCounters): Promise<void> {
  if (counters !== desk.counters) {
    desk.counters = counters;
    await saveCounters(desk.sql, desk.card, counters);
  }
}

/** Tells the merchant of what this desk has changed. */
export async function tell({ sql, at, noticedAt }: Desk, transaction: CardTransaction): Promise<void> {
  await pushTransaction(sql, transaction, { at, queuedAt: noticedAt });
}
