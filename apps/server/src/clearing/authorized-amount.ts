import type { Sql } from "#database/index.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** What was approved of a purchase, also when clearings have changed its amount since; minor units. */
export async function authorizedAmountOf(sql: Sql, transaction: CardTransaction): Promise<bigint> {
  const { rows } = await sql.query<{ authorized_amount: bigint | null }>({
    name: "clearing_authorized_amount",
    text: "SELECT authorized_amount FROM consumption WHERE merchant_id = $1 AND consume_no = $2",
    values: [transaction.merchantId, transaction.consumeNo],
  });
  return rows[0]?.authorized_amount ?? transaction.amount;
}

/** Keeps it when a clearing changes the amount for the first time. */
export async function keepAuthorizedAmount(sql: Sql, transaction: CardTransaction): Promise<void> {
  await sql.query({
    name: "clearing_keep_authorized_amount",
    text: `UPDATE consumption SET authorized_amount = coalesce(authorized_amount, $3) WHERE merchant_id = $1 AND consume_no = $2`,
    values: [transaction.merchantId, transaction.consumeNo, transaction.amount],
  });
}
