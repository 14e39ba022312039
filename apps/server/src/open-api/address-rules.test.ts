import { expect, test } from "vitest";
import { createAddressRules } from "./address-rules.ts";

const rules = createAddressRules();
const fits = (country: string, postalCode: string) => rules.postalCodeFits({ country, postalCode });

test("every country of ISO 3166-1 is supported but those on the list", () => {
  for (const country of ["US", "GB", "CN", "HK", "TW", "SG", "DE", "BR", "NG", "AE"]) {
    expect(rules.isCountrySupported(country)).toBe(true);
  }
  for (const country of ["CU", "IR", "KP", "SY", "ZZ", "EU", "", "us", "toString"]) {
    expect(rules.isCountrySupported(country)).toBe(false);
  }
  const own = createAddressRules(["US"]);
  expect([own.isCountrySupported("US"), own.isCountrySupported("CU")]).toEqual([false, true]);
});

test("dialling codes are those that countries have", () => {
  for (const code of ["1", "44", "49", "86", "852", "971", "998"]) expect(rules.isDiallingCode(code)).toBe(true);
  for (const code of ["", "0", "+1", "00", "999", "210", "1234"]) expect(rules.isDiallingCode(code)).toBe(false);
});

test.each([
  ["US", ["20001", "20001-1234"], ["2000", "ABCDE", "20001-12"]],
  ["GB", ["SW1A 1AA", "sw1a1aa", "M1 1AE"], ["12345", "SW1A 1A"]],
  ["CN", ["100000", "518000"], ["10000", "000000x"]],
  ["JP", ["100-0001", "1000001"], ["100-001", "100 0001"]],
  ["PL", ["00-001", "00001"], ["0-0001"]],
  ["PT", ["1000-001", "1000001", "1000"], ["100-001"]],
  ["IE", ["D02 AF30", "D02AF30", "D6W XK28"], ["D2 AF30"]],
  ["LV", ["LV-1010", "1010"], ["LV-101"]],
  ["CA", ["K1A 0B1", "K1A0B1"], ["K1A 0B"]],
  // No postal codes, or none that anybody has described.
  ["HK", ["000000", "HKG", "0"], ["", "N/A", "-", " 1", "a#b"]],
  ["AE", ["00000"], [""]],
])("postal codes of %s", (country, good, wrong) => {
  for (const code of good) expect([code, fits(country, code)]).toEqual([code, true]);
  for (const code of wrong) expect([code, fits(country, code)]).toEqual([code, false]);
});

test("a long text that almost fits is refused at once", () => {
  for (const country of ["HK", "GB", "US", "CN", "NL"]) expect(fits(country, `${"a ".repeat(32_000)}#`)).toBe(false);
});
