import { webhookKeyOf } from "@cardwright/signing/parts";
import { within } from "../options.ts";
import { type HmacKey, hmacKey } from "./hmac.ts";

/** What callbacks are verified with: V1 (`appId` and `apiSecret`), Standard Webhooks (`webhookSecrets`), or both. */
export interface CallbackOptions {
  readonly appId?: string | undefined;
  /** Of the merchant's primary credential. */
  readonly apiSecret?: string | undefined;
  /** `whsec_…`, all that are good at the moment, 10 at most. */
  readonly webhookSecrets?: readonly string[] | undefined;
  /**
   * Where `webhookSecrets` are given, a callback without `webhook-signature` is refused: else whoever can repeat a V1 callback
   * could leave the stronger signature away. False takes it with V1 alone, for the time before the platform signs so.
   */
  readonly requireStandardWebhooks?: boolean | undefined;
  /** How far a callback's time may be from the own clock, 5 minutes unless told; from 1,000 to 3,600,000. */
  readonly toleranceMs?: number | undefined;
  /** A longer body is refused; 65,536 unless told, 1,048,576 at most. */
  readonly bodyBytesMax?: number | undefined;
  /** Used instead of `Date.now`: Unix ms. */
  readonly now?: (() => number) | undefined;
}

export interface CallbackKeys {
  readonly v1: { readonly appId: string; readonly key: HmacKey } | null;
  readonly standard: {
    readonly secrets: readonly string[];
    readonly keys: readonly HmacKey[];
    readonly isRequired: boolean;
  } | null;
  readonly toleranceMs: number;
  readonly bodyBytesMax: number;
  readonly now: () => number;
}

/** Throws a TypeError or RangeError where nothing could be verified, or a secret cannot be read. */
export function callbackKeys(options: CallbackOptions): CallbackKeys {
  const { appId, apiSecret, webhookSecrets = [] } = options;
  if ((apiSecret === undefined) !== (appId === undefined) && webhookSecrets.length === 0) {
    throw new TypeError("callbacks are verified with appId and apiSecret together, or with webhookSecrets");
  }
  const hasV1 = appId !== undefined && apiSecret !== undefined;
  if (!hasV1 && webhookSecrets.length === 0) {
    throw new TypeError("callbacks need appId and apiSecret, or webhookSecrets");
  }
  if (appId === "") throw new TypeError("appId is empty");
  within("the number of webhookSecrets", webhookSecrets.length, { min: 0, max: 10 });
  return {
    v1: hasV1 ? { appId, key: hmacKey(new TextEncoder().encode(apiSecret)) } : null,
    standard:
      webhookSecrets.length === 0
        ? null
        : {
            secrets: [...webhookSecrets],
            keys: webhookSecrets.map((secret) => hmacKey(webhookKeyOf(secret))),
            isRequired: !hasV1 || (options.requireStandardWebhooks ?? true),
          },
    toleranceMs: within("toleranceMs", options.toleranceMs ?? 300_000, { min: 1_000, max: 3_600_000 }),
    bodyBytesMax: within("bodyBytesMax", options.bodyBytesMax ?? 65_536, { min: 1, max: 1_048_576 }),
    now: options.now ?? Date.now,
  };
}
