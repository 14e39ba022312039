import { createHmac, timingSafeEqual } from "node:crypto";
import { type RawMembers, rawMembers, stringOf } from "./raw-json.ts";

const toleranceMs = 5 * 60 * 1000;

export interface CallbackRequest {
  /** Headers of the request, names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The body exactly as it came. */
  readonly body: Uint8Array;
}

export interface Callback {
  /** Raw JSON text of the push id: covered by no signature, good for telling repeats apart and for nothing else. */
  readonly id: string;
  readonly action: string;
  readonly data: RawMembers;
  /** The text of `data`, which the signature stands for. */
  readonly rawData: string;
}

export type SignatureRefusal = "sign version" | "timestamp" | "body" | "signature";
export type Verified = { ok: true; callback: Callback } | { ok: false; reason: SignatureRefusal };

/**
 * Signature V1 (contract section 6): lower-case hex of HMAC-SHA256 with the API secret over `key=value` pairs joined by
 * `&`, sorted by key in code-point order. A pair for each top-level key of `data` that is not null, a string as it is and
 * anything else as its JSON text, plus `appId` and `timestamp`.
 */
export function signatureV1(input: { data: RawMembers; appId: string; timestamp: string; apiSecret: string }): string {
  const pairs = new Map<string, string>();
  for (const [key, raw] of input.data) {
    if (raw !== "null") pairs.set(key, stringOf(raw) ?? raw);
  }
  pairs.set("appId", input.appId).set("timestamp", input.timestamp);
  // Buffers compare by UTF-8 bytes, which is code-point order; JavaScript's own `<` compares UTF-16 units.
  const sorted = [...pairs].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const text = sorted.map(([key, value]) => `${key}=${value}`).join("&");
  return createHmac("sha256", input.apiSecret).update(text, "utf8").digest("hex");
}

/**
 * Reads a callback only if this merchant's secret signed it within the last five minutes (or, for a clock that is ahead,
 * the next five).
 */
export function verifyCallback(
  request: CallbackRequest,
  credentials: { appId: string; apiSecret: string; nowMs: number },
): Verified {
  const { timestamp, signature } = request.headers;
  if (request.headers["sign-version"] !== "V1") return { ok: false, reason: "sign version" };
  if (typeof timestamp !== "string" || !/^\d{13}$/u.test(timestamp)) return { ok: false, reason: "timestamp" };
  if (Math.abs(credentials.nowMs - Number(timestamp)) > toleranceMs) return { ok: false, reason: "timestamp" };
  const callback = readCallback(request.body);
  if (callback === undefined) return { ok: false, reason: "body" };
  const expected = Buffer.from(signatureV1({ data: callback.data, timestamp, ...credentials }));
  const given = Buffer.from(typeof signature === "string" ? signature : "");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return { ok: false, reason: "signature" };
  return { ok: true, callback };
}

/** Pairs that the signature adds to those of `data`; a member of that name would be hidden behind them. */
const addedKeys = ["appId", "timestamp"];

/** Half a surrogate pair has no UTF-8 form: two different texts would be signed alike. */
function isSignable(data: RawMembers): boolean {
  return (
    [...data].every(([key, raw]) => key.isWellFormed() && (stringOf(raw) ?? raw).isWellFormed()) &&
    !addedKeys.some((key) => data.has(key))
  );
}

function readCallback(body: Uint8Array): Callback | undefined {
  const members = rawMembers(decoded(body));
  const id = members?.get("id");
  const action = stringOf(members?.get("action"));
  const rawData = members?.get("data");
  const data = rawData === undefined ? undefined : rawMembers(rawData);
  if (id === undefined || action === undefined || rawData === undefined || data === undefined || !isSignable(data)) {
    return undefined;
  }
  return { id, action, data, rawData };
}

/** Text that is not UTF-8 is not JSON either: "" is refused by the parser. */
function decoded(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return "";
  }
}
