import { z } from "zod";
import type { Advice, Clearing } from "#clearing/index.ts";
import { ok, type Result } from "#kernel/index.ts";
import { authorizationMessage, fieldRules } from "./authorization-message.ts";
import { type AmountField, acceptorOf, amountsOf, otherReference } from "./message-parts.ts";
import { type MessageRoute, messageRoute } from "./message-route.ts";

export const advicesPath = "/network/v1/advices";

/**
 * What the network has approved in our stead, in the form of an authorization. What only matters before an approval (expiry, CVV, whether
 * a part would do) may be there and says nothing any more.
 */
const adviceMessage = authorizationMessage.extend({
  increment_of: otherReference.exactOptional(),
  kind: z.enum(["purchase", "atm"]),
});

const rules: ReadonlyMap<string, string> = new Map([
  ...fieldRules,
  ["increment_of", "must be at most 64 characters of A-Z a-z 0-9 . _ : -"],
  ["kind", "must be purchase or atm"],
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
