import * as fc from "fast-check";
import { expect, test } from "vitest";
import { hasLuhnCheckDigit, luhnCheckDigit } from "./luhn.ts";

test("the published examples have the check digits that are published for them", () => {
  expect(luhnCheckDigit("7992739871")).toBe("3");
  for (const number of [
    "4111111111111111",
    "5555555555554444",
    "378282246310005",
    "6011111111111117",
    "30569309025904",
  ]) {
    expect([number, hasLuhnCheckDigit(number)]).toEqual([number, true]);
    expect(luhnCheckDigit(number.slice(0, -1))).toBe(number.slice(-1));
  }
});

test("every single wrong digit is noticed", () => {
  const digits = fc.stringMatching(/^[0-9]{5,18}$/u);
  fc.assert(
    fc.property(digits, fc.nat(), fc.integer({ min: 1, max: 9 }), (body, place, change) => {
      const number = body + luhnCheckDigit(body);
      const at = place % number.length;
      const changed = String((Number(number.charAt(at)) + change) % 10);
      expect(hasLuhnCheckDigit(number)).toBe(true);
      expect(hasLuhnCheckDigit(number.slice(0, at) + changed + number.slice(at + 1))).toBe(false);
    }),
  );
});

test("neighbours that changed places are noticed, except 0 and 9", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9]{5,18}$/u), fc.nat(), (body, place) => {
      const number = body + luhnCheckDigit(body);
      const at = place % (number.length - 1);
      const [left, right] = [number.charAt(at), number.charAt(at + 1)];
      fc.pre(left !== right && ![left, right].every((digit) => digit === "0" || digit === "9"));
      expect(hasLuhnCheckDigit(number.slice(0, at) + right + left + number.slice(at + 2))).toBe(false);
    }),
  );
});

test("a text with anything but digits, or with one digit only, has no check digit", () => {
  const texts = ["", "0", "4111 1111 1111 1111", "411111111111111١", "-18", "4111111111111111\n"];
  expect(texts.filter(hasLuhnCheckDigit)).toEqual([]);
});
