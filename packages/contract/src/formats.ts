/**
 * Rules of single texts that a JSON schema pattern cannot name an error for. A schema asks for one by its `format`;
 * validation looks it up here, so that every rule reports its own code (contract sections 3, 5 and 9).
 */
import { isListTime } from "./dates.ts";
import type { ErrorName } from "./errors.ts";

/** What the validator cannot know by syntax; the server fills it from its tables of countries. */
export interface AddressRules {
  /** `country` is two upper-case letters. False is 2009. */
  isCountrySupported(country: string): boolean;
  /** `diallingCode` is digits without `+`. False is 1004. */
  isDiallingCode(diallingCode: string): boolean;
  /** False is 2010. Asked only about supported countries. */
  postalCodeFits(options: { country: string; postalCode: string }): boolean;
}

export interface FormatContext {
  /** The object that the field is part of. */
  readonly siblings: Readonly<Record<string, unknown>>;
  readonly addressRules: AddressRules | undefined;
}

type FormatRule = (text: string, context: FormatContext) => ErrorName | null;

const POSITIVE_AMOUNT = /^(?:0|[1-9]\d{0,11})(?:\.\d{1,2})?$/;
const ONLY_ZEROS = /^[0.]+$/;
const TRANSFER_TYPE = /^(?:in|out)$/i;
// eslint-disable-next-line no-control-regex -- ASCII is exactly this range.
const ASCII = /^[\u0000-\u007f]*$/;
const ADDRESS_CHARACTERS = /^[A-Za-z0-9 \-/#.,']*$/;
const PHONE = /^[0-9][0-9 -]*$/;
const DIALLING_CODE = /^[1-9][0-9]{0,6}$/;
const COUNTRY = /^[A-Z]{2}$/;

export const FORMATS = {
  "positive-amount": (text) => (isPositiveAmount(text) ? null : "amount_invalid"),
  "transfer-type": transferType,
  "list-time": (text) => (isListTime(text) ? null : "invalid_parameter"),
  "address-text": addressText,
  phone: (text) => addressText(text) ?? (PHONE.test(text) ? null : "invalid_parameter"),
  "dialling-code": diallingCode,
  "country-code": countryCode,
  "postal-code": postalCode,
} as const satisfies Record<string, FormatRule>;

export type FormatName = keyof typeof FORMATS;

export function isFormatName(text: unknown): text is FormatName {
  return typeof text === "string" && Object.hasOwn(FORMATS, text);
}

/**
 * A decimal amount above zero with at most two decimals and at most twelve digits before the point: a million millions
 * stays far inside a signed 64-bit number of minor units, also when many are added.
 */
export function isPositiveAmount(text: string): boolean {
  return POSITIVE_AMOUNT.test(text) && !ONLY_ZEROS.test(text);
}

/** An empty `type` is a missing field (1004), any other unknown text is 3006. */
function transferType(text: string): ErrorName | null {
  if (TRANSFER_TYPE.test(text)) return null;
  return text.trim() === "" ? "invalid_parameter" : "transfer_type_unknown";
}

/** Beyond ASCII 2008; ASCII other than letters, digits, space and `- / # . , '` 2007 (section 9, "Parsing"). */
function addressText(text: string): ErrorName | null {
  if (!ASCII.test(text)) return "english_only";
  return ADDRESS_CHARACTERS.test(text) ? null : "address_characters";
}

function diallingCode(text: string, context: FormatContext): ErrorName | null {
  const known = DIALLING_CODE.test(text) && (context.addressRules?.isDiallingCode(text) ?? true);
  return known ? null : "invalid_parameter";
}

function countryCode(text: string, context: FormatContext): ErrorName | null {
  if (!COUNTRY.test(text)) return "invalid_parameter";
  return (context.addressRules?.isCountrySupported(text) ?? true) ? null : "country_not_supported";
}

function postalCode(text: string, context: FormatContext): ErrorName | null {
  const wrong = addressText(text);
  const { siblings, addressRules } = context;
  const country = siblings["country"];
  if (wrong !== null || addressRules === undefined || typeof country !== "string") return wrong;
  // A wrong country is reported by its own field; whether a postal code fits it is then no question.
  if (countryCode(country, context) !== null) return null;
  return addressRules.postalCodeFits({ country, postalCode: text }) ? null : "postal_code_mismatch";
}
