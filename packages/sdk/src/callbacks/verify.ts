import { checkStandard, checkV1, signaturePrefix, splitCallbackBody } from "@cardwright/signing/parts";
import { bytesOfBase64 } from "../base64.ts";
import { SignatureError, type SignatureRefusal } from "../errors.ts";
import { callbackShapes } from "../generated/callback-shapes.ts";
import { signatureBytesOf } from "./hmac.ts";
import type { CallbackKeys } from "./keys.ts";
import { bodyBytesOf, headerOf, strictText } from "./request-body.ts";
import type { Callback, CallbackFacts, CallbackRequest, HeaderSource } from "./types.ts";

interface Received {
  readonly headers: HeaderSource;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly nowMs: number;
}

/**
 * The callback, if every signature that it must have is there and good. Throws SignatureError; a CardwrightError when the
 * request's body was used up before.
 */
export async function verifyCallback(keys: CallbackKeys, request: CallbackRequest): Promise<Callback> {
  const bytes = await bodyBytesOf(request, keys.bodyBytesMax);
  const received: Received = { headers: request.headers, bytes, nowMs: keys.now() };
  const body = splitCallbackBody(strictText(bytes));
  if (!body.ok) throw new SignatureError("body_invalid");
  const { id, action, dataText } = body.value;
  const byV1 = keys.v1 !== null && (await verifyV1(keys, received, dataText));
  const byStandard = await verifyStandard(keys, received, id);
  const verifiedBy = [...(byV1 ? (["v1"] as const) : []), ...(byStandard ? (["standard_webhooks"] as const) : [])];
  const facts: CallbackFacts = { id, dataText, verifiedBy, ...hintsIn(received.headers) };
  return typed(action, facts);
}

async function verifyV1(keys: CallbackKeys, received: Received, dataText: string): Promise<true> {
  const { v1, toleranceMs } = keys;
  const { headers, nowMs } = received;
  if (v1 === null) throw new SignatureError("signature_missing");
  const signature = headerOf(headers, "Signature");
  if (signature !== undefined && headerOf(headers, "Sign-Version") !== "V1") {
    throw new SignatureError("sign_version_unknown");
  }
  const timestamp = headerOf(headers, "Timestamp");
  const checked = checkV1({ appId: v1.appId, timestamp, signature, dataText, nowMs, toleranceMs });
  if (!checked.ok) throw new SignatureError(checked.reason);
  const given = signatureBytesOf(checked.signature);
  const isGood = given !== null && (await v1.key.verify(new TextEncoder().encode(checked.signedText), given));
  if (!isGood) throw new SignatureError("signature_mismatch");
  return true;
}

const standardRefusals = {
  id_invalid: "webhook_id_invalid",
  signature_missing: "webhook_signature_missing",
  timestamp_invalid: "webhook_timestamp_invalid",
  timestamp_stale: "webhook_timestamp_stale",
  timestamp_future: "webhook_timestamp_future",
} as const satisfies Record<string, SignatureRefusal>;

/** False where it is neither asked for nor there. */
async function verifyStandard(
  { standard, toleranceMs }: CallbackKeys,
  received: Received,
  pushId: string,
): Promise<boolean> {
  const { headers, bytes, nowMs } = received;
  const signatureHeader = headerOf(headers, "webhook-signature");
  if (standard === null || (!standard.isRequired && signatureHeader === undefined)) return false;
  const id = headerOf(headers, "webhook-id");
  const timestamp = headerOf(headers, "webhook-timestamp");
  const { secrets } = standard;
  if (signatureHeader === undefined) throw new SignatureError("webhook_signature_missing");
  const checked = checkStandard({ id, timestamp, signatureHeader, secrets, nowMs, toleranceMs });
  if (!checked.ok) throw new SignatureError(standardRefusals[checked.reason]);
  const message = joined(new TextEncoder().encode(checked.prefix), bytes);
  const signatures = checked.signatures.map((text) => bytesOfBase64(text.slice(signaturePrefix.length)));
  // Every pair is compared, so that the time does not tell which secret or signature was the good one.
  const matches = await Promise.all(
    signatures.flatMap((given) =>
      standard.keys.map((key) => (given === null ? Promise.resolve(false) : key.verify(message, given))),
    ),
  );
  if (!matches.includes(true)) throw new SignatureError("webhook_signature_mismatch");
  if (id !== pushId) throw new SignatureError("webhook_id_mismatch");
  return true;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(first.byteLength + second.byteLength);
  bytes.set(first);
  bytes.set(second, first.byteLength);
  return bytes;
}

function hintsIn(headers: HeaderSource): Omit<CallbackFacts, "id" | "dataText" | "verifiedBy"> {
  const late = /^code=(-?\d{1,15}); after_ms=(\d{1,9})$/u.exec(headerOf(headers, "Late-Answer") ?? "");
  const seconds = numberIn(headers, "webhook-timestamp");
  return {
    timestampMs: numberIn(headers, "Timestamp") ?? (seconds ?? 0) * 1_000,
    sequence: numberIn(headers, "Sequence"),
    attempt: numberIn(headers, "Attempt"),
    deadlineMs: numberIn(headers, "Deadline-Ms"),
    isTest: headerOf(headers, "Test-Push") === "true",
    lateAnswer: late === null ? null : { code: Number(late[1]), afterMs: Number(late[2]) },
  };
}

function numberIn(headers: HeaderSource, name: string): number | null {
  const text = headerOf(headers, name);
  return text !== undefined && /^\d{1,15}$/u.test(text) ? Number(text) : null;
}

/** V1 covers no action: a `Consumption` that somebody has renamed to `Auth` shows by what only the former has. */
const onlyInConsumption = "fee_detail";

function typed(action: string, facts: CallbackFacts): Callback {
  const data = dataOf(facts.dataText);
  if (action === "Auth" && onlyInConsumption in data) throw new SignatureError("data_not_as_agreed");
  if (!(action === "Auth" || action === "Consumption" || action === "Card_update")) {
    return { ...facts, action: "other", wireAction: action, data };
  }
  const shape: Readonly<Record<string, string>> = callbackShapes[action];
  const isAsAgreed = Object.entries(shape).every(([name, type]) => jsonTypeOf(data[name]) === type);
  if (!isAsAgreed) throw new SignatureError("data_not_as_agreed");
  // Its fields have just been looked at; values beyond the contract's lists are left to whoever reads them.
  return { ...facts, action, data } as unknown as Callback;
}

function dataOf(dataText: string): Readonly<Record<string, unknown>> {
  const data: unknown = JSON.parse(dataText);
  return typeof data === "object" && data !== null ? Object.fromEntries(Object.entries(data)) : {};
}

function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  return value === null ? "null" : typeof value;
}
