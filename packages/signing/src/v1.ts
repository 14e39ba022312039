import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { decodeString, type JsonMember, type JsonMembersRefusal, jsonMembers } from "./json-members.ts";
import { sameText } from "./same-text.ts";
import { type TimestampRefusal, timestampRefusal } from "./timestamp.ts";

/** What a V1 signature covers (contract section 6). */
export interface SignedV1 {
  readonly appId: string;
  /** The text of the `Timestamp` header: Unix ms, 13 digits. */
  readonly timestamp: string;
  /** The JSON text of the body's `data` exactly as on the wire. */
  readonly dataText: string;
}

export interface SigningV1 extends SignedV1 {
  /** The text, or what `apiSecretKey` made of it. */
  readonly apiSecret: string | KeyObject;
}

export interface VerificationV1 {
  readonly appId: string;
  readonly apiSecret: string;
  /** Header `Timestamp`; `undefined` when it did not come. */
  readonly timestamp: string | undefined;
  /** Header `Signature`; `undefined` when it did not come. */
  readonly signature: string | undefined;
  readonly dataText: string;
  readonly nowMs: number;
  /** How far `timestamp` may lie before or after `nowMs`; 5 minutes unless given. */
  readonly toleranceMs?: number;
}

export type VerificationV1Refusal = "signature_missing" | TimestampRefusal | "data_invalid" | "signature_mismatch";
export type VerificationV1Result =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: VerificationV1Refusal };

interface Pair {
  readonly key: string;
  readonly text: string;
}

/** Pairs that the signature adds to those of `data`; a member of that name would be hidden behind them. */
const addedKeys: ReadonlySet<string> = new Set(["appId", "timestamp"]);

type PairsRefusal = JsonMembersRefusal | "reserved_key";
type PairsResult =
  | { readonly ok: true; readonly value: Pair[] }
  | { readonly ok: false; readonly reason: PairsRefusal };

/**
 * Signature V1 (contract section 6): lower-case hex of HMAC-SHA256. Throws a TypeError when `dataText` is not the text
 * of a JSON object, has a key twice, has a top-level key `appId` or `timestamp`, or half a surrogate pair in a key or
 * text; our own callbacks never do. Throws for an empty secret, too.
 */
export function signV1(signing: SigningV1): string {
  return hmacHex(signing.apiSecret, signatureTextV1(signing));
}

/**
 * The text that V1 signs, for whoever looks for a difference. Each top-level value of `data` is taken from the wire as
 * it is: a string decoded, null left out, anything else its raw text, nested blanks included. Throws like `signV1`.
 */
export function signatureTextV1(signed: SignedV1): string {
  const pairs = pairsOfData(signed.dataText);
  if (!pairs.ok) throw new TypeError(`data cannot be signed: ${pairs.reason}`);
  return joinPairs(signed.appId, signed.timestamp, pairs.value);
}

/**
 * Verifies a V1 signature; comparison takes the same time wherever the difference is. The reasons in the order in which
 * they are found: `signature_missing`, `timestamp_invalid` (not 13 digits), `timestamp_stale`, `timestamp_future`,
 * `data_invalid` (what `signV1` throws for), `signature_mismatch`.
 *
 * What V1 leaves open: `id` and `action` are not covered; `"1"` and `1` are signed alike; the text `x&y=z` of a member
 * is signed like the text `x` and a member `y`. `verifyStandard` covers the body byte by byte. Throws for an empty
 * secret.
 */
export function verifyV1(verification: VerificationV1): VerificationV1Result {
  const { appId, apiSecret, timestamp, signature, dataText, nowMs, toleranceMs } = verification;
  if (signature === undefined || signature === "") return { ok: false, reason: "signature_missing" };
  if (timestamp === undefined || !/^\d{13}$/.test(timestamp)) return { ok: false, reason: "timestamp_invalid" };
  const timeRefusal = timestampRefusal({ signedAtMs: Number(timestamp), nowMs, toleranceMs });
  if (timeRefusal !== undefined) return { ok: false, reason: timeRefusal };
  const pairs = pairsOfData(dataText);
  if (!pairs.ok) return { ok: false, reason: "data_invalid" };
  const expected = hmacHex(apiSecret, joinPairs(appId, timestamp, pairs.value));
  return sameText({ expected, given: signature }) ? { ok: true } : { ok: false, reason: "signature_mismatch" };
}

function pairsOfData(dataText: string): PairsResult {
  const members = jsonMembers(dataText);
  if (!members.ok) return members;
  if (members.value.some(({ key }) => addedKeys.has(key))) return { ok: false, reason: "reserved_key" };
  const pairs = members.value.filter(({ rawValue }) => rawValue !== "null").map(pairOf);
  if (!pairs.every(({ text }) => text.isWellFormed())) return { ok: false, reason: "not_well_formed" };
  return { ok: true, value: pairs };
}

function pairOf({ key, rawValue }: JsonMember): Pair {
  return { key, text: rawValue.startsWith('"') ? decodeString(rawValue) : rawValue };
}

function joinPairs(appId: string, timestamp: string, pairs: readonly Pair[]): string {
  return [...pairs, { key: "appId", text: appId }, { key: "timestamp", text: timestamp }]
    .sort((left, right) => compareCodePoints(left.key, right.key))
    .map(({ key, text }) => `${key}=${text}`)
    .join("&");
}

/** JavaScript's own order is that of UTF-16 units, which puts emoji before some characters that come earlier. */
function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (left.codePointAt(i) ?? 0) - (right.codePointAt(i) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * The key of an API secret, for who signs many callbacks with it: an HMAC takes 4 µs with it, and 15 with the text. Throws for an
 * empty secret.
 */
export function apiSecretKey(apiSecret: string): KeyObject {
  return createSecretKey(requireSecret(apiSecret), "utf8");
}

function requireSecret(apiSecret: string): string {
  // With an empty key anyone could sign: a secret that was not configured must not pass for one.
  if (apiSecret === "") throw new TypeError("the API secret is empty");
  return apiSecret;
}

function hmacHex(apiSecret: string | KeyObject, text: string): string {
  return createHmac("sha256", typeof apiSecret === "string" ? requireSecret(apiSecret) : apiSecret)
    .update(text)
    .digest("hex");
}
