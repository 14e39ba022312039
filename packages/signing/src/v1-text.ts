import { decodeString, type JsonMember, type JsonMembersRefusal, jsonMembers } from "./json-members.ts";
import { type TimestampRefusal, timestampRefusal } from "./timestamp.ts";

/** What a V1 signature covers (contract section 6). */
export interface SignedV1 {
  readonly appId: string;
  /** The text of the `Timestamp` header: Unix ms, 13 digits. */
  readonly timestamp: string;
  /** The JSON text of the body's `data` exactly as on the wire. */
  readonly dataText: string;
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
 * The text that V1 signs, for whoever looks for a difference. Each top-level value of `data` is taken from the wire as
 * it is: a string decoded, null left out, anything else its raw text, nested blanks included. Throws like `signV1`.
 */
export function signatureTextV1(signed: SignedV1): string {
  const pairs = pairsOfData(signed.dataText);
  if (!pairs.ok) throw new TypeError(`data cannot be signed: ${pairs.reason}`);
  return joinPairs(signed.appId, signed.timestamp, pairs.value);
}

/** What is left of a verification once everything but the HMAC has been looked at. */
export type CheckedV1 =
  | { readonly ok: true; readonly signedText: string; readonly signature: string }
  | { readonly ok: false; readonly reason: Exclude<VerificationV1Refusal, "signature_mismatch"> };

/** Everything of `verifyV1` but the HMAC, for whoever computes that elsewhere; the reasons come in the same order. */
export function checkV1(verification: Omit<VerificationV1, "apiSecret">): CheckedV1 {
  const { appId, timestamp, signature, dataText, nowMs, toleranceMs } = verification;
  if (signature === undefined || signature === "") return { ok: false, reason: "signature_missing" };
  if (timestamp === undefined || !/^\d{13}$/.test(timestamp)) return { ok: false, reason: "timestamp_invalid" };
  const timeRefusal = timestampRefusal({ signedAtMs: Number(timestamp), nowMs, toleranceMs });
  if (timeRefusal !== undefined) return { ok: false, reason: timeRefusal };
  const pairs = pairsOfData(dataText);
  if (!pairs.ok) return { ok: false, reason: "data_invalid" };
  return { ok: true, signedText: joinPairs(appId, timestamp, pairs.value), signature };
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
