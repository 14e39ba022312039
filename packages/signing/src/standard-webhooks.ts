import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { sameText } from "./same-text.ts";
import { type TimestampRefusal, timestampRefusal } from "./timestamp.ts";

/**
 * Standard Webhooks (specification 1.0.0, symmetric scheme `v1`): the signature covers `id.timestamp.body`, so unlike
 * V1 the whole body is under it.
 */
export interface SigningStandard {
  /** Header `webhook-id`: not empty and without a dot, which separates it from the time. */
  readonly id: string;
  /** Header `webhook-timestamp`: Unix seconds. */
  readonly timestampSeconds: number;
  readonly body: string | Uint8Array;
  /** `whsec_` and Base64 of the key, or any other text, whose UTF-8 bytes are the key; or what `webhookKey` made of it. */
  readonly secret: string | KeyObject;
}

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
const signaturePrefix = "v1,";
const secretsMax = 10;
/** A header may carry several signatures; a sender changing its secret sends two. */
const signaturesMax = 10;

/**
 * One signature, `v1,<Base64>`; while a secret is being changed the header carries one per secret, separated by a
 * space. Throws when the id, the time or the secret cannot be signed with: mistakes of the caller.
 */
export function signStandard({ id, timestampSeconds, body, secret }: SigningStandard): string {
  if (!isId(id)) throw new TypeError("a webhook id is not empty and has no dot");
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0) {
    throw new TypeError("a webhook time is a whole number of Unix seconds");
  }
  return signatureOf({ id, timestamp: String(timestampSeconds), body, secret });
}

/**
 * The key of a secret, for who signs many bodies with it: an HMAC takes 4 µs with it, and 50 with the text of the secret. Throws
 * when the secret cannot be read.
 */
export function webhookKey(secret: string): KeyObject {
  return createSecretKey(keyOf(secret));
}

/**
 * Verifies the `webhook-signature` header: good when one of its `v1` signatures was made with one of the secrets. Other
 * schemes and anything after the tenth signature are passed over. Throws for a list of secrets that is empty, too long
 * or holds one that cannot be read: the receiver's own configuration is wrong.
 */
export function verifyStandard(verification: VerificationStandard): VerificationStandardResult {
  const { id, timestamp, signatureHeader, body, secrets, nowMs, toleranceMs } = verification;
  requireSecrets(secrets);
  if (id === undefined || !isId(id)) return { ok: false, reason: "id_invalid" };
  if (signatureHeader === undefined || signatureHeader === "") return { ok: false, reason: "signature_missing" };
  if (timestamp === undefined || !/^\d{1,12}$/.test(timestamp)) return { ok: false, reason: "timestamp_invalid" };
  const timeRefusal = timestampRefusal({ signedAtMs: Number(timestamp) * 1000, nowMs, toleranceMs });
  if (timeRefusal !== undefined) return { ok: false, reason: timeRefusal };
  const expected = secrets.map((secret) => signatureOf({ id, timestamp, body, secret }));
  // Every pair is compared, so that the time does not tell which secret or signature was the good one.
  const matches = signaturesIn(signatureHeader).flatMap((given) =>
    expected.filter((signature) => sameText({ expected: signature, given })),
  );
  return matches.length > 0 ? { ok: true } : { ok: false, reason: "signature_mismatch" };
}

function signaturesIn(header: string): string[] {
  return header.split(" ", signaturesMax).filter((signature) => signature.startsWith(signaturePrefix));
}

interface Signed {
  readonly id: string;
  readonly timestamp: string;
  readonly body: string | Uint8Array;
  readonly secret: string | KeyObject;
}

function signatureOf({ id, timestamp, body, secret }: Signed): string {
  const key = typeof secret === "string" ? keyOf(secret) : secret;
  const digest = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  return signaturePrefix + digest;
}

function keyOf(secret: string): Buffer {
  if (!secret.startsWith(secretPrefix)) return requireKey(Buffer.from(secret));
  const text = secret.slice(secretPrefix.length);
  // Node passes over what is not Base64: a mistyped secret would become another, shorter key.
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) throw new TypeError("a whsec_ secret is not Base64");
  return requireKey(Buffer.from(text, "base64"));
}

function requireKey(key: Buffer): Buffer {
  if (key.length === 0) throw new TypeError("a webhook secret is empty");
  return key;
}

function requireSecrets(secrets: readonly string[]): void {
  if (secrets.length === 0 || secrets.length > secretsMax) {
    throw new RangeError(`from 1 to ${secretsMax} webhook secrets are needed, not ${secrets.length}`);
  }
  for (const secret of secrets) keyOf(secret);
}

/** A dot in the id could be moved into the time: `a.1` at 2 and `a` at `1.2` would be signed alike. */
function isId(id: string): boolean {
  return id !== "" && !id.includes(".");
}
