import { signaturePrefix, signatureTextV1, signedPrefix } from "@cardwright/signing/parts";
import { textOfBase64 } from "../base64.ts";
import type { AuthData, CardUpdateData, ConsumptionData } from "../generated/types.ts";
import { hexOf } from "./hmac.ts";
import type { CallbackKeys } from "./keys.ts";

interface SignHints {
  /** The push id; a random one when absent. */
  readonly id?: string | undefined;
  /** Unix ms; now when absent. */
  readonly timestampMs?: number | undefined;
  readonly sequence?: number | undefined;
  readonly attempt?: number | undefined;
  /** Of an `Auth`. */
  readonly deadlineMs?: number | undefined;
  readonly isTest?: boolean | undefined;
}

/** A callback to be signed: `data`, or `dataText` to say it to the character. */
export type CallbackToSign = SignHints &
  (
    | { readonly action: "Auth"; readonly data: AuthData }
    | { readonly action: "Consumption"; readonly data: ConsumptionData }
    | { readonly action: "Card_update"; readonly data: CardUpdateData }
    | { readonly action: string; readonly dataText: string }
  );

/** A request as the platform makes it. */
export interface SignedCallback {
  readonly method: "POST";
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Signs a callback as the platform does, with whatever the keys allow: V1, Standard Webhooks with each secret, or both. */
export async function signCallback(keys: CallbackKeys, callback: CallbackToSign): Promise<SignedCallback> {
  const { id = crypto.randomUUID(), timestampMs = keys.now(), action } = callback;
  const dataText = "dataText" in callback ? callback.dataText : JSON.stringify(callback.data);
  const body = `{"id":${JSON.stringify(id)},"action":${JSON.stringify(action)},"data":${dataText}}`;
  const headers = {
    "Content-Type": "application/json",
    Timezone: "UTC+8",
    ...(await v1Headers(keys, { timestamp: String(timestampMs), dataText })),
    ...(await standardHeaders(keys, { id, timestampSeconds: Math.floor(timestampMs / 1_000), body })),
    ...(callback.sequence !== undefined && { Sequence: String(callback.sequence) }),
    ...(callback.attempt !== undefined && { Attempt: String(callback.attempt) }),
    ...(callback.deadlineMs !== undefined && { "Deadline-Ms": String(callback.deadlineMs) }),
    ...(callback.isTest === true && { "Test-Push": "true" }),
  };
  return { method: "POST", headers, body };
}

async function v1Headers(
  { v1 }: CallbackKeys,
  signed: { readonly timestamp: string; readonly dataText: string },
): Promise<Record<string, string>> {
  const { timestamp } = signed;
  if (v1 === null) return { Timestamp: timestamp };
  const text = signatureTextV1({ appId: v1.appId, ...signed });
  const signature = hexOf(await v1.key.sign(new TextEncoder().encode(text)));
  return { Timestamp: timestamp, Signature: signature, "Sign-Version": "V1" };
}

async function standardHeaders(
  { standard }: CallbackKeys,
  signed: { readonly id: string; readonly timestampSeconds: number; readonly body: string },
): Promise<Record<string, string>> {
  if (standard === null) return {};
  const { id, timestampSeconds, body } = signed;
  const message = new TextEncoder().encode(signedPrefix({ id, timestampSeconds }) + body);
  const signatures = await Promise.all(
    standard.keys.map(async (key) => signaturePrefix + textOfBase64(await key.sign(message))),
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestampSeconds),
    "webhook-signature": signatures.join(" "),
  };
}
