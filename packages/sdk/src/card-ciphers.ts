/**
 * The contract's encryption of CVV, PIN and private data: AES-256 in ECB mode with PKCS#5 padding, Base64, the key being the
 * 32 characters of the `apiSecret` (contract section 6).
 *
 * Web Crypto has no ECB. With `node:crypto` the package would need one more entry for workers and browsers' bundlers, so ECB
 * is made of what Web Crypto has: each block of 16 bytes goes through AES-CBC by itself, where with an initial vector of
 * zeros the first block is the block cipher. The texts have one to a dozen blocks; it takes well below a millisecond.
 */
import { bytesOfBase64, textOfBase64 } from "./base64.ts";
import { CardwrightError } from "./errors.ts";
import type { CardPrivateInfo } from "./generated/types.ts";

/** Where the type libraries of Node and of browsers agree. */
type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

const blockBytes = 16;
const secretBytes = 32;
const zeroVector = new Uint8Array(blockBytes);
/** The private data has about 160 bytes; what is longer is not it. */
const cipherBytesMax = 4_096;

/** Encrypts the text of a CVV or PIN for `card/active` and `card/pin/set`. Throws a CardwrightError for a secret that is none. */
export async function encryptForCard(plain: string, apiSecret: string): Promise<string> {
  const key = await keyOf(apiSecret);
  const padded = withPadding(new TextEncoder().encode(plain));
  const encrypted = await Promise.all(blocksOf(padded).map((block) => encryptBlock(key, block)));
  return textOfBase64(joined(encrypted));
}

/** The text behind a cipher text. Throws a CardwrightError, which holds nothing of either, when the secret is another. */
export async function decryptForCard(cipherText: string, apiSecret: string): Promise<string> {
  const key = await keyOf(apiSecret);
  const bytes = bytesOfBase64(cipherText);
  if (bytes === null || bytes.length === 0 || bytes.length % blockBytes !== 0 || bytes.length > cipherBytesMax) {
    throw undecipherable();
  }
  const decrypted = await Promise.all(blocksOf(bytes).map((block) => decryptBlock(key, block)));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(withoutPadding(joined(decrypted)));
  } catch {
    throw undecipherable();
  }
}

/** What `card/private/info` answers, decrypted. Throws a CardwrightError when it is something else. */
export async function decryptPrivateInfo(cipherText: string, apiSecret: string): Promise<CardPrivateInfo> {
  const text = await decryptForCard(cipherText, apiSecret);
  const info = objectOf(text);
  const field = (name: string): string => {
    const value = info[name];
    if (typeof value !== "string") throw undecipherable();
    return value;
  };
  return {
    card_no: field("card_no"),
    card_unique_no: field("card_unique_no"),
    cvv: field("cvv"),
    pan: field("pan"),
    exp_year: field("exp_year"),
    exp_month: field("exp_month"),
  };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
  } catch {
    // The parser's own message quotes the text, which is a card number.
    throw undecipherable();
  }
}

function undecipherable(): CardwrightError {
  return new CardwrightError("the cipher text cannot be decrypted with this apiSecret");
}

async function keyOf(apiSecret: string): Promise<ImportedKey> {
  const bytes = new TextEncoder().encode(apiSecret);
  if (bytes.length !== secretBytes) throw new CardwrightError(`an apiSecret has ${secretBytes} characters`);
  return await crypto.subtle.importKey("raw", bytes, "AES-CBC", false, ["encrypt", "decrypt"]);
}

async function encryptBlock(key: ImportedKey, block: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const encrypted = await crypto.subtle.encrypt({ name: "AES-CBC", iv: zeroVector }, key, block);
  // A second block follows, which is CBC's own padding.
  return new Uint8Array(encrypted).slice(0, blockBytes);
}

/** CBC wants to see padding at the end: a second block is made that decrypts, behind this one, to a whole block of it. */
async function decryptBlock(key: ImportedKey, block: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const padding = await crypto.subtle.encrypt({ name: "AES-CBC", iv: block }, key, new Uint8Array(0));
  const chained = joined([block, new Uint8Array(padding)]);
  return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-CBC", iv: zeroVector }, key, chained));
}

function blocksOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: bytes.length / blockBytes }, (_, at) =>
    bytes.slice(at * blockBytes, (at + 1) * blockBytes),
  );
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function withPadding(plain: Uint8Array): Uint8Array<ArrayBuffer> {
  const count = blockBytes - (plain.length % blockBytes);
  return joined([plain, new Uint8Array(count).fill(count)]);
}

function withoutPadding(padded: Uint8Array): Uint8Array {
  const count = padded.at(-1) ?? 0;
  const isPadding = count >= 1 && count <= blockBytes && padded.slice(-count).every((byte) => byte === count);
  if (!isPadding) throw undecipherable();
  return padded.slice(0, -count);
}
