import type { Sql } from "#database/index.ts";
import type { LockedCard } from "./locked-card.ts";
import { isForced, isSpending, wasDeclined } from "./transaction-state.ts";
import { type CardTransaction, selectByReference, selectRelated, selectTransaction } from "./transaction-store.ts";

/** What a message is about. */
export interface Original {
  /** The consumption that it changes; null when there is none that could be. */
  readonly transaction: CardTransaction | null;
  /** The number that a new consumption points to; empty when nothing is known. */
  readonly relateNo: string;
  /** Whether the reference is known at all, also as another card's. */
  readonly isKnown: boolean;
}

const nothingKnown: Original = { transaction: null, relateNo: "", isKnown: false };

/**
 * Finds what the network's original reference names: an authorization, a stand-in advice, a refund; a clearing; or an unknown
 * authorization that a clearing has named before and made a consumption of. A declined purchase that was cleared all the same is found
 * as what the clearing made of it. A reference of another card is as good as none. The card must be locked.
 */
export async function findOriginal(sql: Sql, card: LockedCard, reference: string): Promise<Original> {
  const { merchantId, cardNo } = card;
  if (reference === "") {
    return nothingKnown;
  }
  const named =
    (await selectByReference(sql, { merchantId, networkReference: reference })) ??
    (await selectByMessage(sql, { merchantId, reference }));
  if (named === null || named.cardNo !== cardNo) {
    return { ...nothingKnown, isKnown: named !== null };
  }
  const { consumeNo } = named;
  if (!isSpending(named) || !wasDeclined(named)) {
    return { transaction: named, relateNo: consumeNo, isKnown: true };
  }
  const related = await selectRelated(sql, { merchantId, consumeNo });
  return { transaction: related.find(isForced) ?? null, relateNo: consumeNo, isKnown: true };
}

/** The consumption of a clearing, refund or advice by its own reference, or by that of the authorization which a clearing named. */
async function selectByMessage(
  sql: Sql,
  key: { readonly merchantId: number; readonly reference: string },
): Promise<CardTransaction | null> {
  const { rows } = await sql.query<{ consume_no: string }>({
    name: "clearing_by_message",
    text: `SELECT consume_no FROM network_message
           WHERE merchant_id = $1 AND consume_no <> '' AND (
             (network_reference = $2 AND kind <> 'reversal') OR (original_reference = $2 AND original_reference <> '' AND kind = 'clearing'))
           ORDER BY at, network_reference LIMIT 1`,
    values: [key.merchantId, key.reference],
  });
  const consumeNo = rows[0]?.consume_no;
  return consumeNo === undefined ? null : selectTransaction(sql, { merchantId: key.merchantId, consumeNo });
}

/** A purchase and the increments of its authorization, in the order that clearings use them up. */
export async function withIncrements(
  sql: Sql,
  original: CardTransaction,
): Promise<readonly [CardTransaction, ...CardTransaction[]]> {
  const related = await selectRelated(sql, original);
  const isIncrement = (each: CardTransaction): boolean =>
    isSpending(each) && each.cardNo === original.cardNo && !wasDeclined(each) && !isForced(each);
  return [original, ...related.filter(isIncrement)];
}
