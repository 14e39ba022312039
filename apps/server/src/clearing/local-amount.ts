import { allocate, decimalsOf, formatAmount, isCurrency, parseAmount } from "@cardwright/money";
import type { Sql } from "#database/index.ts";
import { shareOf } from "./allocation.ts";
import { bounds } from "./limits.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** What one clearing said, in the transaction's currency and (minor units) in the card's. */
export interface LocalPart {
  readonly localAmount: string;
  readonly localCurrency: string;
  readonly settledAmount: bigint;
}

/** The transaction's own amount as a consumption shows it, from minor units of its currency. */
export const localText = (minor: bigint, currency: string): string => formatAmount(minor, decimalsIn(currency));

/** Minor units of the transaction's own currency. */
export function localMinor({
  localAmount,
  localCurrency,
}: Pick<CardTransaction, "localAmount" | "localCurrency">): bigint {
  const parsed = parseAmount(localAmount, decimalsIn(localCurrency));
  return parsed.ok ? parsed.value : 0n;
}

export const decimalsIn = (currency: string): number => (isCurrency(currency) ? decimalsOf(currency) : 0);

/**
 * Clearings of one purchase so far, by its authorization's reference: those that name it, and those that name one of these clearings
 * instead.
 */
export async function selectParts(
  sql: Sql,
  key: { readonly merchantId: number; readonly originalReference: string },
): Promise<LocalPart[]> {
  const { rows } = await sql.query<{ local_amount: string; local_currency: string; settled_amount: bigint }>({
    name: "clearing_parts",
    text: `SELECT local_amount, local_currency, settled_amount FROM network_message
           WHERE merchant_id = $1 AND original_reference <> '' AND kind = 'clearing' AND (original_reference = $2
             OR original_reference IN (SELECT f.network_reference FROM network_message f
                                       WHERE f.merchant_id = $1 AND f.original_reference = $2 AND f.original_reference <> ''
                                         AND f.kind = 'clearing'))
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
  const authorized = localMinor(transaction);
  const total = parts.reduce(
    (sum, part) =>
      sum +
      (part.localCurrency === localCurrency
        ? localMinor(part)
        : shareOf(authorized, { part: part.settledAmount, of: amount })),
    0n,
  );
  const whole = share.weights.some((weight) => weight > 0n) ? allocate(total, share.weights)[share.of] : 0n;
  return localText(whole ?? 0n, localCurrency);
}
