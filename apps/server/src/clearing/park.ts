import { orderNumber } from "#kernel/index.ts";
import type { Presentment } from "./message.ts";
import { insertParked } from "./parked-store.ts";
import type { Reception } from "./receive.ts";
import type { Refund } from "./refund.ts";

/** Puts a refund aside that is more than there is left of its purchase. Nothing moves. */
export async function park(
  { sql, card, at }: Reception,
  parked: {
    readonly refund: Refund;
    readonly refundable: bigint;
    readonly purchaseNo: string;
    readonly message: Presentment;
  },
): Promise<void> {
  const { refund, refundable, purchaseNo, message } = parked;
  const { known, shown } = refund;
  await insertParked(sql, {
    ...shown,
    merchantId: card.merchantId,
    parkedNo: orderNumber("K", at),
    networkReference: message.networkReference,
    purchaseNo,
    consumeNo: known?.consumeNo ?? "",
    refundable,
    localCurrency: message.currency,
    acceptor: message.acceptor,
    status: "Open",
    note: "",
    createdAt: at,
    resolvedAt: null,
  });
}
