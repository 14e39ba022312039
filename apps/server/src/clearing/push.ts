import { enqueueCallback } from "#cards/index.ts";
import { consumptionData } from "#consumptions/index.ts";
import type { Sql } from "#database/index.ts";
import { uuid7 } from "#kernel/index.ts";
import type { CardTransaction } from "./transaction-store.ts";

/**
 * Queues the `Consumption` push about what has just been changed, in the same transaction (contract section 6). `at` is the time of the
 * change; `queuedAt` the present where the change belongs to an earlier moment, such as the end of a hold that is only noticed now.
 */
export async function pushTransaction(
  sql: Sql,
  transaction: CardTransaction,
  options: { readonly at: number; readonly queuedAt?: number },
): Promise<void> {
  const { merchantId, cardNo, consumeNo } = transaction;
  const queuedAt = options.queuedAt ?? options.at;
  await enqueueCallback(sql, {
    merchantId,
    cardNo,
    callbackId: uuid7(queuedAt),
    action: "Consumption",
    consumeNo,
    data: consumptionData(transaction, { time: options.at }),
    at: queuedAt,
  });
}
