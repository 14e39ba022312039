import type { KeyObject } from "node:crypto";
import { apiSecretKey, signStandard, signV1, webhookKey } from "@cardwright/signing";
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
  /** Unix ms of the `Timestamp` header; in seconds, rounded down, of `webhook-timestamp`. */
  readonly timestampMs: number;
  /** Names and values in turn, beside those that every callback has. */
  readonly extraHeaders: readonly string[];
}

interface SigningKeys {
  readonly v1: KeyObject;
  /** The current one first. */
  readonly webhook: readonly KeyObject[];
}

/** One entry for each target that is in use: making a key and hashing with the text of its secret takes ten times as long as hashing. */
const keysOfTargets = new WeakMap<CallbackTarget, SigningKeys>();

/**
 * Headers and body of a callback (contract section 6), signed by V1 and, with each of the merchant's webhook secrets, by Standard
 * Webhooks: while a secret is being rotated a receiver verifies with either. The text of `data` is placed in the body as it is: writing it again
 * could change a character that was signed. Throws when `data` is not the text of a JSON object, which is a bug of its writer.
 */
export function signedPush(
  push: Push,
  { target, timestampMs, extraHeaders }: SigningOptions,
): { headers: string[]; body: string } {
  const { v1, webhook } = keysOf(target);
  const timestamp = String(timestampMs);
  const body = `{"id":${JSON.stringify(push.id)},"action":"${push.action}","data":${push.dataText}}`;
  const signature = signV1({ appId: target.appId, apiSecret: v1, timestamp, dataText: push.dataText });
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
      ...standardHeaders({ id: push.id, body, keys: webhook, timestampSeconds: Math.floor(timestampMs / 1000) }),
      ...extraHeaders,
    ],
    body,
  };
}

function standardHeaders(signing: {
  readonly id: string;
  readonly body: string;
  readonly keys: readonly KeyObject[];
  readonly timestampSeconds: number;
}): string[] {
  const { id, body, keys, timestampSeconds } = signing;
  if (keys.length === 0) return [];
  const signatures = keys.map((secret) => signStandard({ id, timestampSeconds, body, secret }));
  return ["webhook-id", id, "webhook-timestamp", String(timestampSeconds), "webhook-signature", signatures.join(" ")];
}

function keysOf(target: CallbackTarget): SigningKeys {
  const known = keysOfTargets.get(target);
  if (known !== undefined) return known;
  const keys = { v1: apiSecretKey(target.apiSecret), webhook: (target.webhookSecrets ?? []).map(webhookKey) };
  keysOfTargets.set(target, keys);
  return keys;
}
