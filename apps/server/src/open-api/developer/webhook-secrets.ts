import { OVERLAP_HOURS_DEFAULT } from "@cardwright/contract";
import { ok, refused } from "#kernel/index.ts";
import { fail } from "../answer.ts";
import { type DeveloperHandler, initiatorOf } from "./handler.ts";

const hourMs = 3_600_000;
/** Whoever rotates faster than the worker erases what has ended waits for it; it needs some seconds. */
const tooOftenRetrySeconds = 60;

export const listSecrets: DeveloperHandler<"developer.secret_list"> = async (deps, call) => {
  const secrets = await deps.merchants.webhookSecrets.list(call.merchant.merchantId);
  return ok({
    list: secrets.map(({ secretId, createdAtMs, expiresAtMs }) => ({
      secret_id: secretId,
      created_at: createdAtMs,
      expires_at: expiresAtMs ?? 0,
    })),
  });
};

export const rotateSecret: DeveloperHandler<"developer.secret_rotate"> = async (deps, call, input) => {
  const { merchantId } = call.merchant;
  const overlapMs = (input.overlap_hours ?? OVERLAP_HOURS_DEFAULT) * hourMs;
  const rotated = await deps.merchants.webhookSecrets.rotate({ merchantId, overlapMs, by: initiatorOf(call) });
  if (!rotated.ok) {
    if (rotated.reason === "merchant_closed") {
      // Since the call was let in.
      return fail("merchant_unknown");
    }
    if (rotated.reason === "webhook_secrets_too_many") {
      return refused({ name: "too_frequent", retryAfterSeconds: tooOftenRetrySeconds });
    }
    throw new Error(`a webhook secret could not be rotated: ${rotated.reason}`);
  }
  const { secretId, secret, previousExpiresAtMs } = rotated.value;
  return ok({ secret_id: secretId, secret, previous_expires_at: previousExpiresAtMs ?? 0 });
};
