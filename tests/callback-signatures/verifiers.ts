import { splitCallbackBody, verifyStandard, verifyV1 } from "@cardwright/signing";
import { verifyCallback } from "../../examples/merchant/src/callback-signature.ts";
import { credentials, type Delivery } from "./delivery.ts";

/** Whether a delivery is believed by its V1 signature, by `packages/signing`. */
export function isV1Verified({ headers, body, nowMs }: Delivery): boolean {
  const split = splitCallbackBody(strictText(body));
  if (!split.ok || headers["sign-version"] !== "V1") return false;
  const { timestamp, signature } = headers;
  const { appId, apiSecret } = credentials;
  return verifyV1({ appId, apiSecret, timestamp, signature, dataText: split.value.dataText, nowMs }).ok;
}

export const v1Verifiers: Readonly<Record<string, (delivery: Delivery) => boolean>> = {
  "verifyV1 with splitCallbackBody": isV1Verified,
  "the example merchant's verifyCallback": ({ headers, body, nowMs }) =>
    verifyCallback({ headers, body }, { ...credentials, nowMs }).ok,
};

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

/** What is not UTF-8 is no JSON either: the empty text is refused. */
function strictText(body: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return "";
  }
}
