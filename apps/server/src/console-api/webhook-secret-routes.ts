import { z } from "zod";
import { ok, refused } from "#kernel/index.ts";
import type { Merchants, WebhookSecret } from "#merchants/index.ts";
import { callbackSecrets as bounds } from "../limits.ts";
import { merchantParams, timeMs } from "./request-parts.ts";
import { type Route, route } from "./route.ts";

const hourMs = 3_600_000;

const rotation = z.strictObject({
  overlap_hours: z
    .int()
    .min(0)
    .max(bounds.overlapMsMax / hourMs)
    .exactOptional()
    .meta({ description: "How long the previous secret signs beside the new one; 24 when absent, 0: not at all." }),
});

const secretAnswer = z.strictObject({
  secret_id: z.string(),
  created_at: timeMs,
  expires_at: timeMs.nullable().meta({ description: "Null: the current one." }),
});
const rotatedAnswer = z.strictObject({
  secret_id: z.string(),
  secret: z.string().meta({ description: "Shown this once: `whsec_` and the Base64 of 32 bytes." }),
  previous_expires_at: timeMs.nullable().meta({ description: "Null: there was none." }),
});

/** What signs a merchant's callbacks by Standard Webhooks. */
export function webhookSecretRoutes({ merchants }: { readonly merchants: Merchants }): Route[] {
  return [
    route({
      method: "GET",
      path: "/merchants/{merchant_no}/webhook-secrets",
      summary: "List the webhook secrets that sign a merchant's callbacks, the current one first",
      description: "Without their values. Times are the machine's.",
      status: 200,
      params: merchantParams,
      answer: z.strictObject({ list: z.array(secretAnswer) }),
      refusals: ["merchant_unknown"],
      handle: async ({ params }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        return ok({ list: (await merchants.webhookSecrets.list(merchant.merchantId)).map(secretToWire) });
      },
    }),
    route({
      method: "POST",
      path: "/merchants/{merchant_no}/webhook-secrets",
      summary: "Rotate a merchant's webhook secret",
      description:
        "The answer shows the new secret, which can never be read again. Callbacks carry two signatures until the previous secret expires. If two were valid already, the older of them ends at once.",
      status: 201,
      params: merchantParams,
      body: rotation,
      answer: rotatedAnswer,
      refusals: ["merchant_unknown", "merchant_closed", "overlap_invalid", "webhook_secrets_too_many"],
      handle: async ({ params, body, by }) => {
        const merchant = await merchants.find(params.merchant_no);
        if (merchant === null) return refused("merchant_unknown");
        const { merchantId } = merchant;
        const { overlap_hours } = body;
        const overlapMs = overlap_hours === undefined ? bounds.overlapMsDefault : overlap_hours * hourMs;
        const rotated = await merchants.webhookSecrets.rotate({ merchantId, overlapMs, by });
        if (!rotated.ok) return rotated;
        const { secretId, secret, previousExpiresAtMs } = rotated.value;
        return ok({ secret_id: secretId, secret, previous_expires_at: previousExpiresAtMs });
      },
    }),
  ];
}

function secretToWire({ secretId, createdAtMs, expiresAtMs }: WebhookSecret): z.infer<typeof secretAnswer> {
  return { secret_id: secretId, created_at: createdAtMs, expires_at: expiresAtMs };
}
