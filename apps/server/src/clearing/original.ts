import { isDeclineReason } from "@cardwright/contract";
import type { Sql } from "#database/index.ts";
import type { LockedCard } from "./locked-card.ts";
import { type CardTransaction, selectByReference, selectRelated, selectTransaction } from "./transaction-store.ts";

/** What a message is about. */
export interface Original {
  /** The consumption that it changes; null when there is none that could be. */
  readonly transaction: CardTransaction | null;
  /** The number that a new consumption points to; empty when nothing is known. */
  readonly relateNo: string;
}

const nothingKnown: Original = { transaction: null, relateNo: "" };

export const isSpending = ({ type }: Pick<CardTransaction, "type">): boolean =>
  type === "Consumption" || type === "Atm";

/** Approved once, or cleared without having been: money moved, or still may. One whose merchant is being asked is neither. */
export const wasDeclined = ({ status, remark }: Pick<CardTransaction, "status" | "remark">): boolean =>
  status === "Fail" && isDeclineReason(remark);

/**
 * Finds what the network's original reference names: an authorization, a stand-in advice, a refund; or a clearing that came
 * without one and made a consumption. A declined purchase that was cleared all the same is found as what the clearing made of it. A
 * reference of another card is as good as none. The card must be locked.
 */
export async function findOriginal(sql: Sql, card: LockedCard, reference: string): Promise<Original> {
  const { merchantId, cardNo } = card;
  if (reference === "") {
    return nothingKnown;
  }
  const named =
    (await selectByReference(sql, { merchantId, networkReference: reference })) ??
    (await selectForced(sql, { merchantId, originalReference: reference }));
  if (named === null || named.cardNo !== cardNo) {
    return nothingKnown;
  }
  const { consumeNo } = named;
  if (!isSpending(named) || !wasDeclined(named)) {
    return { transaction: named, relateNo: consumeNo };
  }
  const related = await selectRelated(sql, { merchantId, consumeNo });
  return { transaction: related.find(isForced) ?? null, relateNo: consumeNo };
}

const isForced = (transaction: CardTransaction): boolean =>
  isSpending(transaction) && transaction.remark === "force_posted";

/** What an earlier clearing of an unknown authorization has made. */
async function selectForced(
  sql: Sql,
  key: { readonly merchantId: number; readonly originalReference: string },
): Promise<CardTransaction | null> {
  const { rows } = await sql.query<{ consume_no: string }>({
    name: "clearing_forced_of",
    text: `SELECT consume_no FROM network_message
           WHERE merchant_id = $1 AND original_reference = $2 AND original_reference <> '' AND kind = 'clearing' AND consume_no <> ''
           ORDER BY at, network_reference LIMIT 1`,
    values: [key.merchantId, key.originalReference],
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
