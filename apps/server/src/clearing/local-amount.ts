import { allocate, decimalsOf, formatAmount, isCurrency, parseAmount } from "@cardwright/money";
import type { Sql } from "#database/index.ts";
import { bounds } from "./limits.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** What one clearing said, in the transaction's currency and (minor units) in the card's. */
export interface LocalPart {
  readonly localAmount: string;
  readonly localCurrency: string;
  readonly settledAmount: bigint;
}

/** Clearings of one authorization before this one. */
export async function selectParts(
  sql: Sql,
  key: { readonly merchantId: number; readonly originalReference: string },
): Promise<LocalPart[]> {
  const { rows } = await sql.query<{ local_amount: string; local_currency: string; settled_amount: bigint }>({
    name: "clearing_parts",
    text: `SELECT local_amount, local_currency, settled_amount FROM network_message
           WHERE merchant_id = $1 AND original_reference = $2 AND original_reference <> '' AND kind = 'clearing'
           ORDER BY at, network_reference LIMIT ${bounds.partsMax}`,
    values: [key.merchantId, key.originalReference],
  });
  return rows.map((row) => ({
    localAmount: row.local_amount,
    localCurrency: row.local_currency,
    settledAmount: row.settled_amount,
  }));
}

/**
 * What a purchase has cleared in its shop's currency, decimal text: the sum of its parts. A part in another currency than
 * the authorization's is counted as its share of the authorized amount.
 */
export function clearedLocal(
  transaction: Pick<CardTransaction, "localAmount" | "localCurrency" | "amount">,
  parts: readonly LocalPart[],
  share: { readonly of: number; readonly weights: readonly bigint[] },
): string {
  const { localCurrency, amount } = transaction;
  const decimals = isCurrency(localCurrency) ? decimalsOf(localCurrency) : 0;
  const minor = (text: string): bigint => {
    const parsed = parseAmount(text, decimals);
    return parsed.ok ? parsed.value : 0n;
  };
  const authorized = minor(transaction.localAmount);
  const total = parts.reduce((sum, part) => {
    if (part.localCurrency === localCurrency) {
      return sum + minor(part.localAmount);
    }
    return amount === 0n ? sum : sum + (authorized * part.settledAmount * 2n + amount) / (amount * 2n);
  }, 0n);
  const whole = share.weights.some((weight) => weight > 0n) ? allocate(total, share.weights)[share.of] : 0n;
  return formatAmount(whole ?? 0n, decimals);
}
