import { createCipheriv, createDecipheriv } from "node:crypto";
import { ok, type Result, refused } from "#kernel/index.ts";

/**
 * The one place for contract section 6 "Encryption of CVV, PIN and private info": AES-256/ECB/PKCS5Padding, standard
 * Base64, the key is the 32 ASCII bytes of the API secret. ECB and the missing authentication are the public contract's,
 * not ours: nothing that stays with us is encrypted this way.
 */
const algorithm = "aes-256-ecb";

/** What travels is a CVV, a PIN or one small JSON text; 1 KiB leaves room for the longest `card_unique_no`. */
const plainBytesMax = 1024;
/** The padded plain text in Base64: four characters for every three bytes. */
const cipherCharactersMax = 4 * Math.ceil((plainBytesMax + 16) / 3);

/** The characters of an API secret: 32 of `[A-Za-z0-9]` (contract section 6). */
export function isApiSecret(text: string): boolean {
  return /^[A-Za-z0-9]{32}$/u.test(text);
}

/** Encrypts `text` for the merchant that holds `apiSecret`. Throws when it is longer than 1 KiB: we make these texts ourselves. */
export function encryptForMerchant(apiSecret: string, text: string): string {
  const plain = Buffer.from(text, "utf8");
  if (plain.length > plainBytesMax) throw new RangeError("the text for the merchant is longer than 1 KiB");
  const cipher = createCipheriv(algorithm, wireKey(apiSecret), null);
  return Buffer.concat([cipher.update(plain), cipher.final()]).toString("base64");
}

/** The text a merchant encrypted, or `cannot_be_decrypted` (contract 4014) for anything that this merchant's library cannot have made. */
export function decryptFromMerchant(apiSecret: string, cipherText: string): Result<string, "cannot_be_decrypted"> {
  const encrypted = strictBase64(cipherText);
  const isWholeBlocks = encrypted !== null && encrypted.length > 0 && encrypted.length % 16 === 0;
  if (!isWholeBlocks) return refused("cannot_be_decrypted");
  const decipher = createDecipheriv(algorithm, wireKey(apiSecret), null);
  try {
    const plain = Buffer.concat([decipher.update(encrypted), decipher.final()]);
    return ok(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(plain));
  } catch {
    // Bad padding and bad UTF-8 answer alike, so that the answer tells nothing about the plain text.
    return refused("cannot_be_decrypted");
  }
}

function wireKey(apiSecret: string): Buffer {
  if (!isApiSecret(apiSecret)) throw new Error("an API secret has the wrong form");
  return Buffer.from(apiSecret, "latin1");
}

/** Node's own decoder skips what it does not know; only a text that encodes back to itself is Base64 here. */
function strictBase64(text: string): Buffer | null {
  if (text.length > cipherCharactersMax) return null;
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
