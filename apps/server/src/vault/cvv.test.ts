import { createCipheriv } from "node:crypto";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { cardVerificationValue, isCvv, isExpiry, printedCvv, sameCvv } from "./cvv.ts";

const keys = Buffer.from("0123456789ABCDEFFEDCBA9876543210", "hex");

test("the published vectors of the algorithm come out", () => {
  for (const [keyHex, pan, expiryDigits, serviceCode, value] of [
    ["0123456789ABCDEFFEDCBA9876543210", "4123456789012345", "8701", "101", "561"],
    ["99999999999999998888888888888888", "2222222222222222", "3333", "111", "361"],
    ["D676DCF3AFB7350532EAF00EA253D875", "4123450990122129", "0721", "202", "241"],
  ] as const) {
    expect(cardVerificationValue({ keys: Buffer.from(keyHex, "hex"), pan, expiryDigits, serviceCode })).toBe(value);
  }
});

test("it agrees with the algorithm written as a retail MAC, for every length of number", () => {
  const pan = fc.stringMatching(/^[0-9]{12,19}$/u);
  const twoKeys = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
  fc.assert(
    fc.property(
      twoKeys,
      pan,
      fc.stringMatching(/^[0-9]{4}$/u),
      fc.stringMatching(/^[0-9]{3}$/u),
      (keys, pan, expiryDigits, serviceCode) => {
        expect(cardVerificationValue({ keys, pan, expiryDigits, serviceCode })).toBe(
          independentValue(keys, pan + expiryDigits + serviceCode),
        );
      },
    ),
  );
});

/** The same as a MAC by ISO/IEC 9797-1 algorithm 3: DES in CBC mode under A, the last block in triple DES under A and B. */
function independentValue(keys: Buffer, digits: string): string {
  const data = Buffer.from(digits.padEnd(32, "0"), "hex");
  const [a, b] = [keys.subarray(0, 8), keys.subarray(8)];
  const single = createCipheriv("des-ede3-cbc", Buffer.concat([a, a, a]), Buffer.alloc(8)).setAutoPadding(false);
  const first = single.update(data.subarray(0, 8));
  const triple = createCipheriv("des-ede3-cbc", Buffer.concat([a, b, a]), first).setAutoPadding(false);
  const nibbles = Array.from(triple.update(data.subarray(8)).toString("hex"), (digit) => Number.parseInt(digit, 16));
  return [...nibbles.filter((n) => n < 10), ...nibbles.filter((n) => n >= 10).map((n) => n - 10)].slice(0, 3).join("");
}

test("the printed CVV uses service code 000 and the expiry as YYMM", () => {
  const pan = "4123456789012345";
  const expected = cardVerificationValue({ keys, pan, expiryDigits: "2803", serviceCode: "000" });
  expect(printedCvv({ keys, pan, expiry: { year: 2028, month: 3 } })).toBe(expected);
  expect(cardVerificationValue({ keys, pan, expiryDigits: "0328", serviceCode: "000" })).not.toBe(expected);
});

test("only the same three digits are the same value", () => {
  expect(sameCvv({ expected: "561", given: "561" })).toBe(true);
  for (const given of ["560", "56", "5610", "", " 561", "５６１", "561\n"]) {
    expect([given, sameCvv({ expected: "561", given })]).toEqual([given, false]);
    expect(isCvv(given)).toBe(given === "560");
  }
});

test("an expiry is a year of this century and a month", () => {
  expect(isExpiry({ year: 2028, month: 12 })).toBe(true);
  for (const [year, month] of [
    [2028, 0],
    [2028, 13],
    [1999, 1],
    [28, 1],
    [2028.5, 1],
    [Number.NaN, 1],
    [2028, Number.NaN],
  ] as const) {
    expect([year, month, isExpiry({ year, month })]).toEqual([year, month, false]);
  }
});

test("an error about a wrong input does not repeat the input", () => {
  const wrong = () =>
    cardVerificationValue({ keys, pan: "4123456789O12345", expiryDigits: "2803", serviceCode: "000" });
  expect(wrong).toThrow("card number");
  expect(wrong).not.toThrow("41234");
});
