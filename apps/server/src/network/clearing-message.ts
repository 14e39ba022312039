import { z } from "zod";
import type { Clearing, Presentment } from "#clearing/index.ts";
import { ok, type Result } from "#kernel/index.ts";
import {
  type AmountField,
  acceptorOf,
  amountShape,
  amountsOf,
  merchantShape,
  networkReference,
  otherReference,
  pan,
  partRules,
} from "./message-parts.ts";
import { type MessageRoute, messageRoute } from "./message-route.ts";

export const clearingsPath = "/network/v1/clearings";

/** A presentment as the network sends it. Unknown fields are refused, so that a misspelt optional one is told. */
const clearingMessage = z.strictObject({
  network_reference: networkReference,
  original_reference: otherReference.exactOptional(),
  pan,
  kind: z.enum(["purchase", "atm", "refund"]),
  ...amountShape,
  final: z.boolean().exactOptional(),
  merchant: merchantShape,
});

const rules: ReadonlyMap<string, string> = new Map([
  ...partRules,
  ["kind", "must be purchase, atm or refund"],
  ["final", "must be true or false"],
]);

function presentmentOf(body: z.infer<typeof clearingMessage>): Result<Presentment, AmountField> {
  const amounts = amountsOf(body);
  if (!amounts.ok) {
    return amounts;
  }
  return ok({
    ...amounts.value,
    networkReference: body.network_reference,
    originalReference: body.original_reference ?? "",
    pan: body.pan,
    kind: body.kind,
    final: body.final ?? true,
    acceptor: acceptorOf(body.merchant),
  });
}

/** `POST /network/v1/clearings`: purchases, withdrawals and refunds that the network presents. */
export function clearingRoute(clear: Clearing["clear"]): MessageRoute {
  return messageRoute({
    path: clearingsPath,
    schema: clearingMessage,
    rules,
    read: presentmentOf,
    take: clear,
  });
}
