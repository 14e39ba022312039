import { formatAmount } from "@cardwright/money";
import type { Sql } from "../../apps/server/src/database/index.ts";

/** A merchant's postings as they are made, one line each. */
export interface PostingReader {
  /** Those that were not read before, oldest first. */
  news(): Promise<readonly string[]>;
}

/** More than any step of a scenario makes. */
const postingsMax = 1_000;

export async function createPostingReader(sql: Sql, merchantNo: string): Promise<PostingReader> {
  const seen = new Set<string>();
  return {
    news: async () => {
      const { rows } = await sql.query<{
        key: string;
        kind: string;
        reference: string;
        source: string;
        destination: string;
        amount: bigint;
        currency: string;
      }>(
        `SELECT p.transaction_id || ' ' || p.line AS key, t.kind, t.reference,
           s.kind || CASE WHEN p.source_held THEN ' (held)' ELSE '' END AS source,
           d.kind || CASE WHEN p.destination_held THEN ' (held)' ELSE '' END AS destination, p.amount, p.currency
         FROM ledger.posting p
         JOIN ledger.transaction t USING (merchant_id, transaction_id)
         JOIN ledger.account s ON s.merchant_id = p.merchant_id AND s.account_id = p.source_account_id
         JOIN ledger.account d ON d.merchant_id = p.merchant_id AND d.account_id = p.destination_account_id
         JOIN merchant m ON m.merchant_id = p.merchant_id
         WHERE m.merchant_no = $1
         ORDER BY t.created_at, p.transaction_id, p.line LIMIT $2`,
        [merchantNo, postingsMax],
      );
      return rows
        .filter(({ key }) => !seen.has(key) && seen.add(key))
        .map(
          ({ kind, reference, source, destination, amount, currency }) =>
            `${kind} ${reference}: ${source} → ${destination} ${formatAmount(amount, 2)} ${currency}`,
        );
    },
  };
}
