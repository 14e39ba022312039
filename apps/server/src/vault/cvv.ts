import { createCipheriv, timingSafeEqual } from "node:crypto";

export interface Expiry {
  /** Four digits, 2000–2099. */
  readonly year: number;
  /** 1–12. */
  readonly month: number;
}

/** Two single-length DES keys, CVKA then CVKB: 16 bytes. */
export type CardVerificationKeys = Buffer;

/**
 * A card verification value by the algorithm that Visa calls CVV and Mastercard calls CVC: number, expiry and service code
 * as digits, zero-filled to two DES blocks; the first encrypted with A, joined with the second by XOR, encrypted with A,
 * decrypted with B, encrypted with A; then the decimal digits of the result, followed by its letters minus ten.
 * `expiryDigits` are the four digits in the issuer's own order, `serviceCode` three digits. Returns three digits.
 */
export function cardVerificationValue(input: {
  readonly keys: CardVerificationKeys;
  readonly pan: string;
  readonly expiryDigits: string;
  readonly serviceCode: string;
}): string {
  requireDigits(input.pan, /^[0-9]{12,19}$/u, "card number");
  requireDigits(input.expiryDigits, /^[0-9]{4}$/u, "expiry");
  requireDigits(input.serviceCode, /^[0-9]{3}$/u, "service code");
  if (input.keys.length !== 16) throw new Error("the card verification keys must be 16 bytes");
  const keyA = input.keys.subarray(0, 8);
  const keyB = input.keys.subarray(8, 16);
  const blocks = Buffer.from((input.pan + input.expiryDigits + input.serviceCode).padEnd(32, "0"), "hex");
  const first = encryptBlock([keyA, keyA, keyA], blocks.subarray(0, 8));
  const joined = Buffer.from(first.map((byte, place) => byte ^ blocks.readUInt8(8 + place)));
  return decimalise(encryptBlock([keyA, keyB, keyA], joined)).slice(0, 3);
}

/**
 * The value printed beside the card number (CVV2, CVC2): service code 000. The expiry goes in as YYMM. The order is the
 * issuer's own choice as long as making and checking agree; public descriptions of the algorithm name YYMM as the usual one.
 */
export function printedCvv(input: {
  readonly keys: CardVerificationKeys;
  readonly pan: string;
  readonly expiry: Expiry;
}): string {
  const { keys, pan, expiry } = input;
  return cardVerificationValue({ keys, pan, expiryDigits: yymm(expiry), serviceCode: "000" });
}

/** Whether numbers that came from outside can be an expiry at all. */
export function isExpiry(expiry: Expiry): boolean {
  const { year, month } = expiry;
  return Number.isInteger(year) && year >= 2000 && year <= 2099 && Number.isInteger(month) && month >= 1 && month <= 12;
}

/** Whether a text has the form of a printed CVV: three digits. */
export function isCvv(text: string): boolean {
  return /^[0-9]{3}$/u.test(text);
}

/** Whether two values are the same, in a time that does not tell how many digits were right. */
export function sameCvv(pair: { readonly expected: string; readonly given: string }): boolean {
  return isCvv(pair.given) && timingSafeEqual(Buffer.from(pair.expected, "latin1"), Buffer.from(pair.given, "latin1"));
}

function yymm(expiry: Expiry): string {
  return String(expiry.year % 100).padStart(2, "0") + String(expiry.month).padStart(2, "0");
}

/** OpenSSL 3 has single DES in its legacy provider only; triple DES with one key three times is the same function. */
function encryptBlock(keys: readonly [Buffer, Buffer, Buffer], block: Buffer): Buffer {
  const cipher = createCipheriv("des-ede3-ecb", Buffer.concat(keys), null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}

function decimalise(block: Buffer): string {
  const hex = block.toString("hex");
  const letters = hex.replaceAll(/[0-9]/gu, "");
  return (
    hex.replaceAll(/[a-f]/gu, "") + Array.from(letters, (letter) => String(Number.parseInt(letter, 16) - 10)).join("")
  );
}

/** The message names the input, never its value. */
function requireDigits(text: string, form: RegExp, name: string): void {
  if (!form.test(text)) throw new Error(`the ${name} for a card verification value has the wrong form`);
}
