import type { AddressRules } from "@cardwright/contract";
import countries from "i18n-iso-countries";
import { getCountries, getCountryCallingCode } from "libphonenumber-js";
import validator from "validator";

/** Under comprehensive sanctions of the card organizations' home countries: no organization issues there. */
const unsupportedByDefault: readonly string[] = ["CU", "IR", "KP", "SY"];

/** Where the library insists on a separator that people and forms leave out, or leaves out one that they write. */
const ownPostalCodes: ReadonlyMap<string, RegExp> = new Map([
  ["JP", /^\d{3}-?\d{4}$/u],
  ["PL", /^\d{2}-?\d{3}$/u],
  ["PT", /^\d{4}(?:-?\d{3})?$/u],
  ["BR", /^\d{5}-?\d{3}$/u],
  ["LT", /^(?:LT-?)?\d{5}$/iu],
  ["LV", /^(?:LV-?)?\d{4}$/iu],
  ["AD", /^(?:AD)?\d{3}$/iu],
  ["AZ", /^(?:AZ ?)?\d{4}$/iu],
  ["HT", /^(?:HT)?\d{4}$/iu],
  ["IE", /^[A-Za-z]\d[\dWw] ?[A-Za-z0-9]{4}$/u],
]);

/** Countries whose form nobody described, and those that have no postal codes, where people write what a form accepts. */
const anyPostalCode = /^[A-Za-z0-9](?:[A-Za-z0-9 -]*[A-Za-z0-9])?$/u;

/** The rules of an address that need tables of countries (contract section 3, `address_info`: 2009, 2010, 1004). */
export function createAddressRules(unsupportedCountries: readonly string[] = unsupportedByDefault): AddressRules {
  const unsupported = new Set(unsupportedCountries);
  const supported = new Set(Object.keys(countries.getAlpha2Codes()).filter((code) => !unsupported.has(code)));
  const diallingCodes = new Set<string>(getCountries().map((country) => getCountryCallingCode(country)));
  return {
    isCountrySupported: (country) => supported.has(country),
    isDiallingCode: (code) => diallingCodes.has(code),
    postalCodeFits,
  };
}

function postalCodeFits({ country, postalCode }: { country: string; postalCode: string }): boolean {
  const own = ownPostalCodes.get(country);
  if (own !== undefined) {
    return own.test(postalCode);
  }
  const locale = validator.isPostalCodeLocales.find((known) => known === country);
  return locale === undefined ? anyPostalCode.test(postalCode) : validator.isPostalCode(postalCode, locale);
}
