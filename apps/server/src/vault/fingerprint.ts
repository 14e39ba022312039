import { createHmac, type KeyObject } from "node:crypto";
import type { Keyring } from "./keyring.ts";

/**
 * What a card number is found by: HMAC-SHA256 under a derived key. A plain hash would not do, since all numbers of a
 * range can be tried in seconds. 32 bytes; 4 µs each.
 */
export function fingerprintOf(key: KeyObject, pan: string): Buffer {
  return createHmac("sha256", key).update(pan, "latin1").digest();
}

export function fingerprintKey(keyring: Keyring): Promise<KeyObject> {
  return keyring.derive("pan fingerprint");
}
