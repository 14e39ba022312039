import { decimalsOf, isCurrency, parseAmount, parseRate } from "@cardwright/money";
import { z } from "zod";
import type { AuthorizationRequest } from "#authorization/index.ts";
import { cleanText } from "#consumptions/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";

/** 13 integer digits and the 4 decimals that a currency has at most. */
const amount = z.string().regex(/^[0-9]{1,13}(?:\.[0-9]{1,4})?$/u);

const reference = z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/u);

/** An authorization as the network sends it. Unknown fields are refused, so that a misspelt optional one is told. */
export const authorizationMessage = z.strictObject({
  network_reference: reference,
  pan: z.string().regex(/^[0-9]{13,19}$/u),
  expiry: z.strictObject({ year: z.int().min(2000).max(2099), month: z.int().min(1).max(12) }).optional(),
  cvv: z
    .string()
    .regex(/^[0-9]{3}$/u)
    .optional(),
  kind: z.enum(["purchase", "atm", "balance_inquiry", "refund"]),
  /** The reference of the authorization that this one adds to. */
  increment_of: reference.optional(),
  recurring: z.boolean().optional(),
  wallet: z.boolean().optional(),
  /** The shop can take a part of the amount. */
  partial_allowed: z.boolean().optional(),
  amount,
  currency: z.string().regex(/^[A-Z]{3}$/u),
  billing_amount: amount.optional(),
  /** Card's currency for one whole unit of the transaction's. */
  exchange_rate: z
    .string()
    .regex(/^[0-9]{1,9}(?:\.[0-9]{1,12})?$/u)
    .optional(),
  merchant: z.strictObject({
    name: z.string().max(512),
    mcc: z.string().regex(/^(?:[0-9]{4})?$/u),
    city: z.string().max(512),
    country: z.string().regex(/^(?:[A-Z]{2})?$/u),
  }),
});

export type AuthorizationMessage = z.infer<typeof authorizationMessage>;

/** What each field must be, told when it is not. Never the value: it may be a card number in the wrong place. */
export const fieldRules: ReadonlyMap<string, string> = new Map([
  ["network_reference", "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -"],
  ["pan", "must be 13 to 19 digits"],
  ["expiry", "must be an object with year and month"],
  ["expiry.year", "must be a whole number from 2000 to 2099"],
  ["expiry.month", "must be a whole number from 1 to 12"],
  ["cvv", "must be 3 digits"],
  ["kind", "must be purchase, atm, balance_inquiry or refund"],
  ["increment_of", "must be the reference of an authorization, 1 to 64 characters of A-Z a-z 0-9 . _ : -"],
  ["recurring", "must be true or false"],
  ["wallet", "must be true or false"],
  ["partial_allowed", "must be true or false"],
  ["amount", "must be a decimal text with at most the decimals of its currency"],
  ["currency", "must be an active ISO 4217 code of 3 capital letters"],
  ["billing_amount", "must be a decimal text with at most 2 decimals"],
  ["exchange_rate", "must be a decimal text above zero with at most 12 decimals"],
  ["merchant", "must be an object with name, mcc, city and country"],
  ["merchant.name", "must be a text of at most 512 characters"],
  ["merchant.mcc", "must be 4 digits, or empty"],
  ["merchant.city", "must be a text of at most 512 characters"],
  ["merchant.country", "must be an ISO 3166-1 code of 2 capital letters, or empty"],
]);

/** The field that cannot be understood. */
export type MessageRefusal = "amount" | "currency" | "billing_amount" | "exchange_rate";

/** Cards are billed in USD and TUSDT, both with two decimals. */
const billingDecimals = 2;
const nameCharactersMax = 128;
const cityCharactersMax = 64;

/**
 * A message that has the right form as the decision takes it: amounts in minor units, the shop's texts made safe to sign
 * (contract section 6). Refuses what the form alone cannot tell: an unknown currency, too many decimals for it, too much money.
 */
export function requestOf(message: AuthorizationMessage): Result<AuthorizationRequest, MessageRefusal> {
  const { currency, merchant } = message;
  if (!isCurrency(currency)) {
    return refused("currency");
  }
  const minor = minorUnits(message.amount, decimalsOf(currency));
  if (minor === null) {
    return refused("amount");
  }
  const billed = message.billing_amount === undefined ? undefined : minorUnits(message.billing_amount, billingDecimals);
  if (billed === null) {
    return refused("billing_amount");
  }
  const rate = message.exchange_rate === undefined ? null : parseRate(message.exchange_rate);
  if (rate !== null && (!rate.ok || rate.value.units === 0n)) {
    return refused("exchange_rate");
  }
  return ok({
    networkReference: message.network_reference,
    pan: message.pan,
    expiry: message.expiry ?? null,
    cvv: message.cvv ?? null,
    kind: message.kind,
    incrementOf: message.increment_of ?? null,
    recurring: message.recurring ?? false,
    wallet: message.wallet ?? false,
    partialAllowed: message.partial_allowed ?? false,
    amount: minor,
    currency,
    billingAmount: billed ?? null,
    exchangeRate: rate === null ? null : rate.value,
    acceptor: {
      name: cleanText(merchant.name, nameCharactersMax),
      mcc: merchant.mcc,
      city: cleanText(merchant.city, cityCharactersMax),
      country: merchant.country,
    },
  });
}

function minorUnits(text: string, decimals: number): bigint | null {
  const parsed = parseAmount(text, decimals);
  return parsed.ok && parsed.value <= bounds.amountMinorMax ? parsed.value : null;
}
