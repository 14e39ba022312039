import { type TimestampRefusal, timestampRefusal } from "./timestamp.ts";

export interface VerificationStandard {
  /** Headers `webhook-id`, `webhook-timestamp`, `webhook-signature`; `undefined` when one did not come. */
  readonly id: string | undefined;
  readonly timestamp: string | undefined;
  readonly signatureHeader: string | undefined;
  /** The body as it came; the bytes themselves are best. */
  readonly body: string | Uint8Array;
  /** All that are good at the moment; two while a secret is being changed. At least one, at most 10. */
  readonly secrets: readonly string[];
  readonly nowMs: number;
  /** How far `timestamp` may lie before or after `nowMs`; 5 minutes unless given. */
  readonly toleranceMs?: number;
}

export type VerificationStandardRefusal = "id_invalid" | "signature_missing" | TimestampRefusal | "signature_mismatch";
export type VerificationStandardResult =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: VerificationStandardRefusal };

const secretPrefix = "whsec_";
export const signaturePrefix = "v1,";
const secretsMax = 10;
/** A header may carry several signatures; a sender changing its secret sends two. */
const signaturesMax = 10;

/** What an HMAC is made over: this text, then the body. Throws when the id or the time cannot be signed. */
export function signedPrefix({
  id,
  timestampSeconds,
}: {
  readonly id: string;
  readonly timestampSeconds: number;
}): string {
  if (!isId(id)) throw new TypeError("a webhook id is not empty and has no dot");
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0) {
    throw new TypeError("a webhook time is a whole number of Unix seconds");
  }
  return prefixOf(id, String(timestampSeconds));
}

function prefixOf(id: string, timestamp: string): string {
  return `${id}.${timestamp}.`;
}

/** What is left of a verification once everything but the HMAC has been looked at. */
export type CheckedStandard =
  | { readonly ok: true; readonly prefix: string; readonly signatures: readonly string[] }
  | { readonly ok: false; readonly reason: Exclude<VerificationStandardRefusal, "signature_mismatch"> };

/** Everything of `verifyStandard` but the HMAC, for whoever computes that elsewhere; the reasons come in the same order. */
export function checkStandard(verification: Omit<VerificationStandard, "body">): CheckedStandard {
  const { id, timestamp, signatureHeader, secrets, nowMs, toleranceMs } = verification;
  requireSecrets(secrets);
  if (id === undefined || !isId(id)) return { ok: false, reason: "id_invalid" };
  if (signatureHeader === undefined || signatureHeader === "") return { ok: false, reason: "signature_missing" };
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: "timestamp_invalid" };
  const timeRefusal = timestampRefusal({ signedAtMs: Number(timestamp) * 1000, nowMs, toleranceMs });
  if (timeRefusal !== undefined) return { ok: false, reason: timeRefusal };
  return { ok: true, prefix: prefixOf(id, timestamp), signatures: signaturesIn(signatureHeader) };
}

function signaturesIn(header: string): string[] {
  return header.split(" ", signaturesMax).filter((signature) => signature.startsWith(signaturePrefix));
}

/** The bytes of the key that a secret stands for. Throws a TypeError for one that cannot be read. */
export function webhookKeyOf(secret: string): Uint8Array<ArrayBuffer> {
  if (!secret.startsWith(secretPrefix)) return requireKey(new TextEncoder().encode(secret));
  const text = secret.slice(secretPrefix.length);
  // What is not Base64 must not be passed over: a mistyped secret would become another, shorter key.
  const bytes = /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? bytesOfBase64(text) : null;
  if (bytes === null) throw new TypeError("a whsec_ secret is not Base64");
  return requireKey(bytes);
}

function bytesOfBase64(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

function requireKey(key: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (key.length === 0) throw new TypeError("a webhook secret is empty");
  return key;
}

function requireSecrets(secrets: readonly string[]): void {
  if (secrets.length === 0 || secrets.length > secretsMax) {
    throw new RangeError(`from 1 to ${secretsMax} webhook secrets are needed, not ${secrets.length}`);
  }
  for (const secret of secrets) webhookKeyOf(secret);
}

/** A dot in the id could be moved into the time: `a.1` at 2 and `a` at `1.2` would be signed alike. */
function isId(id: string): boolean {
  return id !== "" && !id.includes(".");
}
