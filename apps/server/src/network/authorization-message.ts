import { z } from "zod";
import type { AuthorizationRequest } from "#authorization/index.ts";
import { ok, type Result } from "#kernel/index.ts";
import {
  type AmountField,
  acceptorOf,
  amountShape,
  amountsOf,
  merchantShape,
  networkReference,
  pan,
  partRules,
} from "./message-parts.ts";

/** An authorization as the network sends it. Unknown fields are refused, so that a misspelt optional one is told. */
export const authorizationMessage = z.strictObject({
  network_reference: networkReference,
  pan,
  expiry: z.strictObject({ year: z.int().min(2000).max(2099), month: z.int().min(1).max(12) }).exactOptional(),
  cvv: z
    .string()
    .regex(/^[0-9]{3}$/u)
    .exactOptional(),
  kind: z.enum(["purchase", "atm", "balance_inquiry", "refund"]),
  /** The reference of the authorization that this one adds to. */
  increment_of: networkReference.exactOptional(),
  recurring: z.boolean().exactOptional(),
  wallet: z.boolean().exactOptional(),
  /** The shop can take a part of the amount. */
  partial_allowed: z.boolean().exactOptional(),
  ...amountShape,
  merchant: merchantShape,
});

export type AuthorizationMessage = z.infer<typeof authorizationMessage>;

/** What each field must be, told when it is not. Never the value: it may be a card number in the wrong place. */
export const fieldRules: ReadonlyMap<string, string> = new Map([
  ...partRules,
  ["expiry", "must be an object with year and month"],
  ["expiry.year", "must be a whole number from 2000 to 2099"],
  ["expiry.month", "must be a whole number from 1 to 12"],
  ["cvv", "must be 3 digits"],
  ["kind", "must be purchase, atm, balance_inquiry or refund"],
  ["increment_of", "must be the reference of an authorization, 1 to 64 characters of A-Z a-z 0-9 . _ : -"],
  ["recurring", "must be true or false"],
  ["wallet", "must be true or false"],
  ["partial_allowed", "must be true or false"],
]);

/** A message that has the right form as the decision takes it; refuses what the form alone cannot tell, with its field. */
export function requestOf(message: AuthorizationMessage): Result<AuthorizationRequest, AmountField> {
  const amounts = amountsOf(message);
  if (!amounts.ok) {
    return amounts;
  }
  return ok({
    ...amounts.value,
    networkReference: message.network_reference,
    pan: message.pan,
    expiry: message.expiry ?? null,
    cvv: message.cvv ?? null,
    kind: message.kind,
    incrementOf: message.increment_of ?? null,
    recurring: message.recurring ?? false,
    wallet: message.wallet ?? false,
    partialAllowed: message.partial_allowed ?? false,
    acceptor: acceptorOf(message.merchant),
  });
}
