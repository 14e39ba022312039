import { randomInt } from "node:crypto";
import { hasLuhnCheckDigit, luhnCheckDigit } from "./luhn.ts";

/** The card numbers of one product: all that begin with `bin` (6 digits or more) and have `length` digits, the last a check digit. */
export interface NumberRange {
  readonly bin: string;
  readonly length: number;
}

/** ISO/IEC 7812-1 allows up to 19 digits; shorter than 12 no network routes. */
const panLengthMin = 12;
const panLengthMax = 19;

export function isNumberRange(range: NumberRange): boolean {
  const lengthFits = Number.isInteger(range.length) && range.length >= panLengthMin && range.length <= panLengthMax;
  return lengthFits && /^[0-9]{6,}$/u.test(range.bin) && range.bin.length <= range.length - 2;
}

/** How many different numbers the range holds: at most 10^12, so a JavaScript number is exact. */
export function rangeSize(range: NumberRange): number {
  return 10 ** serialLength(range);
}

/** The number at `index` (0 … rangeSize − 1) of the range, with its check digit. */
export function numberAt(range: NumberRange, index: number): string {
  const digits = range.bin + String(index).padStart(serialLength(range), "0");
  return digits + luhnCheckDigit(digits);
}

/** A number of the range by the system's generator, so that one card's number tells nothing about the next one's. */
export function randomNumber(range: NumberRange): string {
  return numberAt(range, randomInt(rangeSize(range)));
}

/** Whether a text can be a card number at all: digits, length, check digit. Costs no look-up. */
export function isCardNumber(text: string): boolean {
  return text.length >= panLengthMin && text.length <= panLengthMax && hasLuhnCheckDigit(text);
}

function serialLength(range: NumberRange): number {
  return range.length - range.bin.length - 1;
}
