import { signV1 } from "@cardwright/signing";
import type { CallbackTarget } from "./ports.ts";

export type CallbackAction = "Auth" | "Consumption" | "Card_update";

export interface Push {
  readonly id: string;
  readonly action: CallbackAction;
  /** The JSON text of `data`, sent and signed exactly as it is. */
  readonly dataText: string;
}

export interface SigningOptions {
  readonly target: CallbackTarget;
  /** Unix ms of the `Timestamp` header. */
  readonly timestampMs: number;
  /** Names and values in turn, beside those that every callback has. */
  readonly extraHeaders: readonly string[];
}

/**
 * Headers and body of a callback (contract section 6). The text of `data` is placed in the body as it is: writing it again
 * could change a character that was signed. Throws when `data` is not the text of a JSON object, which is a bug of its writer.
 */
export function signedPush(
  push: Push,
  { target, timestampMs, extraHeaders }: SigningOptions,
): { headers: string[]; body: string } {
  const { appId, apiSecret } = target;
  const timestamp = String(timestampMs);
  const signature = signV1({ appId, apiSecret, timestamp, dataText: push.dataText });
  return {
    headers: [
      "Content-Type",
      "application/json",
      "Timestamp",
      timestamp,
      "Signature",
      signature,
      "Sign-Version",
      "V1",
      "Timezone",
      "UTC+8",
      ...extraHeaders,
    ],
    body: `{"id":${JSON.stringify(push.id)},"action":"${push.action}","data":${push.dataText}}`,
  };
}
