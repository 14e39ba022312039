/** HMAC-SHA256 with Web Crypto, whose `verify` takes the same time wherever the difference is. */

export interface HmacKey {
  sign(message: Uint8Array<ArrayBuffer>): Promise<Uint8Array>;
  verify(message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>): Promise<boolean>;
}

/** Where the type libraries of Node and of browsers agree. */
type ImportedKey = Awaited<ReturnType<typeof crypto.subtle.importKey>>;

/** The key is imported when it is first needed, and once. */
export function hmacKey(bytes: Uint8Array<ArrayBuffer>): HmacKey {
  // With an empty key anyone could sign: a secret that was not configured must not pass for one.
  if (bytes.byteLength === 0) throw new TypeError("a secret is empty");
  let imported: Promise<ImportedKey> | undefined;
  const key = (): Promise<ImportedKey> => {
    imported ??= crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
    return imported;
  };
  return {
    sign: async (message) => new Uint8Array(await crypto.subtle.sign("HMAC", await key(), message)),
    verify: async (message, signature) => await crypto.subtle.verify("HMAC", await key(), signature, message),
  };
}

export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The 32 bytes of a signature in lower-case hex, or null. */
export function signatureBytesOf(hex: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[0-9a-f]{64}$/u.test(hex)) return null;
  return Uint8Array.from({ length: 32 }, (_, at) => Number.parseInt(hex.slice(2 * at, 2 * at + 2), 16));
}
