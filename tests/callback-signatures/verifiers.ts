import { createCallbacks, SignatureError } from "@cardwright/sdk";
import { splitCallbackBody, verifyStandard, verifyV1 } from "@cardwright/signing";
import { credentials, type Delivery } from "./delivery.ts";

/** Whether a delivery is believed, by each of the verifiers that this repository gives to merchants. */
export type Verify = (delivery: Delivery) => boolean | Promise<boolean>;

/** By its V1 signature, by `packages/signing`. */
export function isV1Verified({ headers, body, nowMs }: Delivery): boolean {
  const split = splitCallbackBody(strictText(body));
  if (!split.ok || headers["sign-version"] !== "V1") return false;
  const { timestamp, signature } = headers;
  const { appId, apiSecret } = credentials;
  return verifyV1({ appId, apiSecret, timestamp, signature, dataText: split.value.dataText, nowMs }).ok;
}

/** By its Standard Webhooks signature, by `packages/signing`. */
export function isStandardVerified({ headers, body, nowMs }: Delivery): boolean {
  return verifyStandard({
    id: headers["webhook-id"],
    timestamp: headers["webhook-timestamp"],
    signatureHeader: headers["webhook-signature"],
    body,
    secrets: [credentials.webhookSecret],
    nowMs,
  }).ok;
}

/** By the SDK, and so by the example merchant, which stands on it. */
export function sdkVerifier(keys: { readonly webhookSecrets: readonly string[] }): Verify {
  const { appId, apiSecret } = credentials;
  const clock = { nowMs: 0 };
  const callbacks = createCallbacks({ appId, apiSecret, ...keys, now: () => clock.nowMs });
  return async ({ headers, body, nowMs }) => {
    clock.nowMs = nowMs;
    try {
      await callbacks.verify({ headers, body });
      return true;
    } catch (error) {
      if (!(error instanceof SignatureError)) throw error;
      // Found after the signature was good: the vectors' data is about signing, not about purchases.
      return error.reason === "data_not_as_agreed";
    }
  };
}

/** What is not UTF-8 is no JSON either: the empty text is refused. */
function strictText(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return "";
  }
}
