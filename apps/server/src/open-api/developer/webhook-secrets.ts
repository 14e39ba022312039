import { OVERLAP_HOURS_DEFAULT } from "@cardwright/contract";
import { ok } from "#kernel/index.ts";
import { type DeveloperHandler, initiatorOf } from "./handler.ts";

const hourMs = 3_600_000;

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
  const { secretId, secret, previousExpiresAtMs } = await deps.merchants.webhookSecrets.rotate({
    merchantId,
    overlapMs,
    by: initiatorOf(call),
  });
  return ok({ secret_id: secretId, secret, previous_expires_at: previousExpiresAtMs ?? 0 });
};
