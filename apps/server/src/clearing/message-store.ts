import { createHash } from "node:crypto";
import type { Sql } from "#database/index.ts";

/** A message of the network about a transaction that exists, or should; amounts in minor units of the card's currency. */
export interface NetworkMessage {
  readonly merchantId: number;
  readonly networkReference: string;
  readonly kind: "clearing" | "refund" | "reversal" | "advice";
  readonly contentHash: Buffer;
  /** Of the authorization that it is about; empty for one without. */
  readonly originalReference: string;
  readonly cardNo: string;
  readonly consumeNo: string;
  /** What the network settles for it; negative when it is paid to us. */
  readonly settledAmount: bigint;
  /** As the network said it. */
  readonly localAmount: string;
  readonly localCurrency: string;
  /** What became of it, in one word. */
  readonly effect: string;
  readonly at: number;
}

/** What identifies a message's content: a repeat must say the same. */
export function contentHash(parts: readonly (string | bigint | boolean)[]): Buffer {
  return createHash("sha256")
    .update(JSON.stringify(parts.map(String)))
    .digest();
}

/** The answer that a message got before; `same` tells whether it said the same. Null for a new one. */
export async function selectMessage(
  sql: Sql,
  key: Pick<NetworkMessage, "merchantId" | "networkReference" | "kind" | "contentHash">,
): Promise<{ readonly same: boolean; readonly consumeNo: string; readonly effect: string } | null> {
  const { rows } = await sql.query<{ kind: string; content_hash: Buffer; consume_no: string; effect: string }>({
    name: "network_message_one",
    text: `SELECT kind, content_hash, consume_no, effect FROM network_message WHERE merchant_id = $1 AND network_reference = $2`,
    values: [key.merchantId, key.networkReference],
  });
  const row = rows[0];
  return row === undefined
    ? null
    : {
        same: row.kind === key.kind && row.content_hash.equals(key.contentHash),
        consumeNo: row.consume_no,
        effect: row.effect,
      };
}

/**
 * Writes a message down, in the transaction that does what it says. The card must be locked before: two messages with one
 * reference then follow each other, and the second finds the first.
 */
export async function insertMessage(sql: Sql, message: NetworkMessage): Promise<void> {
  await sql.query({
    name: "network_message_insert",
    text: `INSERT INTO network_message (merchant_id, network_reference, kind, content_hash, original_reference, card_no, consume_no,
             settled_amount, local_amount, local_currency, effect, at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    values: [
      message.merchantId,
      message.networkReference,
      message.kind,
      message.contentHash,
      message.originalReference,
      message.cardNo,
      message.consumeNo,
      message.settledAmount,
      message.localAmount,
      message.localCurrency,
      message.effect,
      message.at,
    ],
  });
}
