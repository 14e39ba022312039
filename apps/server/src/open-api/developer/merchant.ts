import { ok } from "#kernel/index.ts";
import { fail } from "../answer.ts";
import { type DeveloperHandler, initiatorOf } from "./handler.ts";

export const merchantInfo: DeveloperHandler<"developer.merchant_info"> = async (deps, { merchant }) =>
  ok({
    merchant_no: merchant.merchantNo,
    name: merchant.name,
    mode: merchant.mode,
    app_id: merchant.appId,
    environment: deps.environment,
    callback_url: merchant.callbackUrl,
    time: deps.businessClock.now(),
  });

/** As an operator would, with the same rules and the same entry in the audit; 6003 in production. */
export const setCallbackUrl: DeveloperHandler<"developer.callback_url"> = async (deps, call, input) => {
  if (deps.environment !== "sandbox") {
    return fail("sandbox_only");
  }
  const { merchantId } = call.merchant;
  const change = { callbackUrl: input.callback_url };
  const changed = await deps.merchants.update({ merchantId, change }, initiatorOf(call));
  if (changed.ok) {
    return ok({ callback_url: changed.value.callbackUrl });
  }
  if (changed.reason === "callback_url_invalid") {
    return fail("invalid_parameter", "callback_url");
  }
  if (changed.reason === "merchant_closed") {
    // Since the call was let in.
    return fail("merchant_unknown");
  }
  throw new Error(`a change of the callback URL was refused: ${changed.reason}`);
};
