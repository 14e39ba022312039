import { decimalsOf, isCurrency, parseAmount, parseRate, type Rate } from "@cardwright/money";
import { z } from "zod";
import type { MessageAmount } from "#clearing/index.ts";
import { type CardAcceptor, cleanText } from "#consumptions/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";

/** What the network's messages about a transaction that exists are made of; each with the sentence that is told when it is wrong. */

/** 13 integer digits and the 4 decimals that a currency has at most. */
const amount = z.string().regex(/^[0-9]{1,13}(?:\.[0-9]{1,4})?$/u);
export const networkReference = z.string().regex(/^[A-Za-z0-9._:-]{1,64}$/u);
/** Of another message; empty says the same as leaving it out. */
export const otherReference = z.string().regex(/^[A-Za-z0-9._:-]{0,64}$/u);
export const pan = z.string().regex(/^[0-9]{13,19}$/u);

export const amountShape = {
  amount,
  currency: z.string().regex(/^[A-Z]{3}$/u),
  billing_amount: amount.exactOptional(),
  /** Decimal text, at most 15 integer digits and 12 decimals. */
  exchange_rate: z
    .string()
    .regex(/^[0-9]{1,15}(?:\.[0-9]{1,12})?$/u)
    .exactOptional(),
};

export const merchantShape = z.strictObject({
  name: z.string().max(512),
  mcc: z.string().regex(/^(?:[0-9]{4})?$/u),
  city: z.string().max(512),
  country: z.string().regex(/^(?:[A-Z]{2})?$/u),
});

/** Never the value: it may be a card number in the wrong place. */
export const partRules: readonly (readonly [field: string, rule: string])[] = [
  ["network_reference", "must be 1 to 64 characters of A-Z a-z 0-9 . _ : -"],
  ["original_reference", "must be at most 64 characters of A-Z a-z 0-9 . _ : -"],
  ["pan", "must be 13 to 19 digits"],
  ["amount", "must be a decimal text with at most the decimals of its currency"],
  ["currency", "must be an active ISO 4217 code of 3 capital letters"],
  ["billing_amount", "must be a decimal text with at most 2 decimals"],
  ["exchange_rate", "must be a decimal text above 0 with at most 12 decimals"],
  ["merchant", "must be an object with name, mcc, city and country"],
  ["merchant.name", "must be a text of at most 512 characters"],
  ["merchant.mcc", "must be 4 digits, or empty"],
  ["merchant.city", "must be a text of at most 512 characters"],
  ["merchant.country", "must be an ISO 3166-1 code of 2 capital letters, or empty"],
];

/** Cards are billed in USD and TUSDT, both with two decimals. */
const billingDecimals = 2;
const nameCharactersMax = 128;
const cityCharactersMax = 64;

export type AmountField = "amount" | "currency" | "billing_amount" | "exchange_rate";

/** The amounts of a message in minor units. Refuses what its form alone cannot tell, with the field that is wrong. */
export function amountsOf(said: {
  readonly amount: string;
  readonly currency: string;
  readonly billing_amount?: string;
  readonly exchange_rate?: string;
}): Result<MessageAmount, AmountField> {
  const { currency } = said;
  if (!isCurrency(currency)) {
    return refused("currency");
  }
  const minor = minorUnits(said.amount, decimalsOf(currency));
  if (minor === null) {
    return refused("amount");
  }
  const billed = said.billing_amount === undefined ? undefined : minorUnits(said.billing_amount, billingDecimals);
  if (billed === null) {
    return refused("billing_amount");
  }
  const exchangeRate = said.exchange_rate === undefined ? null : rateOf(said.exchange_rate);
  if (exchangeRate === "unreadable") {
    return refused("exchange_rate");
  }
  return ok({ amount: minor, currency, billingAmount: billed ?? null, exchangeRate });
}

function rateOf(text: string): Rate | "unreadable" {
  const rate = parseRate(text);
  return rate.ok && rate.value.units > 0n ? rate.value : "unreadable";
}

/** The shop's texts made safe to sign (contract section 6). */
export function acceptorOf(merchant: z.infer<typeof merchantShape>): CardAcceptor {
  return {
    name: cleanText(merchant.name, nameCharactersMax),
    mcc: merchant.mcc,
    city: cleanText(merchant.city, cityCharactersMax),
    country: merchant.country,
  };
}

function minorUnits(text: string, decimals: number): bigint | null {
  const parsed = parseAmount(text, decimals);
  return parsed.ok && parsed.value <= bounds.amountMinorMax ? parsed.value : null;
}
