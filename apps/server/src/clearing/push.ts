import { enqueueCallback } from "#cards/index.ts";
import { consumptionData } from "#consumptions/index.ts";
import type { Sql } from "#database/index.ts";
import { uuid7 } from "#kernel/index.ts";
import type { CardTransaction } from "./transaction-store.ts";

/** Queues the `Consumption` push about what has just been changed, in the same transaction (contract section 6). */
export async function pushTransaction(
  sql: Sql,
  transaction: CardTransaction,
  options: { readonly at: number },
): Promise<void> {
  const { merchantId, cardNo, consumeNo } = transaction;
  await enqueueCallback(sql, {
    merchantId,
    cardNo,
    callbackId: uuid7(options.at),
    action: "Consumption",
    consumeNo,
    data: consumptionData(transaction, { time: options.at }),
    at: options.at,
  });
}
