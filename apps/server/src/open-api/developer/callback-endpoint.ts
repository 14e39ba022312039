import type { DeveloperData } from "@cardwright/contract";
import type { EndpointState } from "#callbacks/index.ts";
import { ok } from "#kernel/index.ts";
import { fail } from "../answer.ts";
import type { DeveloperHandler } from "./handler.ts";

export const endpointInfo: DeveloperHandler<"developer.endpoint_info"> = async ({ callbacks }, call) =>
  ok(stateToWire(await callbacks.endpoints.stateOf(call.merchant.merchantId)));

export const pauseEndpoint: DeveloperHandler<"developer.endpoint_pause"> = async ({ callbacks }, call) =>
  ok(stateToWire(await callbacks.endpoints.pause({ merchantId: call.merchant.merchantId, by: "merchant" })));

export const resumeEndpoint: DeveloperHandler<"developer.endpoint_resume"> = async ({ callbacks }, call) =>
  ok(stateToWire(await callbacks.endpoints.resume({ merchantId: call.merchant.merchantId })));

export const testEndpoint: DeveloperHandler<"developer.endpoint_test"> = async ({ callbacks }, call) => {
  const sent = await callbacks.endpoints.sendTest({ merchantId: call.merchant.merchantId });
  if (!sent.ok) {
    return fail("callback_url_missing");
  }
  const { delivered, httpStatus, error, answer, durationMs, resumed } = sent.value;
  return ok({ delivered, http_status: httpStatus ?? 0, error, answer, duration_ms: Math.round(durationMs), resumed });
};

function stateToWire(endpoint: EndpointState): DeveloperData<"developer.endpoint_info"> {
  return {
    state: endpoint.state,
    paused_by: endpoint.pausedBy,
    paused_at: endpoint.pausedAtMs ?? 0,
    failing_since: endpoint.failingSinceMs ?? 0,
    last_success_at: endpoint.lastSuccessAtMs ?? 0,
    last_failure_at: endpoint.lastFailureAtMs ?? 0,
    open_count: endpoint.openCount,
    open_count_is_exact: endpoint.openCountIsExact,
  };
}
