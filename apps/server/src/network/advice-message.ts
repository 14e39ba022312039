import { z } from "zod";
import type { Advice, Clearing } from "#clearing/index.ts";
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

export const advicesPath = "/network/v1/advices";

/**
 * What the network has approved in our stead, in the form of an authorization. What only matters before an approval (expiry, CVV, whether
 * a part would do) may be there and says nothing any more.
 */
const adviceMessage = z.strictObject({
  network_reference: networkReference,
  increment_of: otherReference.exactOptional(),
  pan,
  expiry: z.strictObject({ year: z.int().min(2000).max(2099), month: z.int().min(1).max(12) }).exactOptional(),
  cvv: z
    .string()
    .regex(/^[0-9]{3}$/u)
    .exactOptional(),
  kind: z.enum(["purchase", "atm"]),
  wallet: z.boolean().exactOptional(),
  recurring: z.boolean().exactOptional(),
  partial_allowed: z.boolean().exactOptional(),
  ...amountShape,
  merchant: merchantShape,
});

const rules: ReadonlyMap<string, string> = new Map([
  ...partRules,
  ["increment_of", "must be at most 64 characters of A-Z a-z 0-9 . _ : -"],
  ["expiry", "must be an object with year and month"],
  ["expiry.year", "must be a whole number from 2000 to 2099"],
  ["expiry.month", "must be a whole number from 1 to 12"],
  ["cvv", "must be 3 digits"],
  ["kind", "must be purchase or atm"],
  ["wallet", "must be true or false"],
  ["recurring", "must be true or false"],
  ["partial_allowed", "must be true or false"],
]);

function adviceOf(body: z.infer<typeof adviceMessage>): Result<Advice, AmountField> {
  const amounts = amountsOf(body);
  if (!amounts.ok) {
    return amounts;
  }
  return ok({
    ...amounts.value,
    networkReference: body.network_reference,
    incrementOf: body.increment_of ?? "",
    pan: body.pan,
    kind: body.kind,
    wallet: body.wallet ?? false,
    recurring: body.recurring ?? false,
    acceptor: acceptorOf(body.merchant),
  });
}

/** `POST /network/v1/advices`: what the network has approved while it could not reach us. */
export function adviceRoute(advise: Clearing["advise"]): MessageRoute {
  return messageRoute({ path: advicesPath, schema: adviceMessage, rules, read: adviceOf, take: advise });
}
