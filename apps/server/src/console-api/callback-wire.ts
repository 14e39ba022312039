import { z } from "zod";
import type { CallbackAttempt, CallbackEntry, EndpointState } from "#callbacks/index.ts";
import { merchantParams, timeMs, uuid } from "./request-parts.ts";

export const callbackParams = merchantParams.extend({ callback_id: uuid });

export const callbackActions = ["Consumption", "Card_update"] as const;
export const callbackStates = ["Open", "Delivered", "GivenUp"] as const;

const callbackShape = {
  callback_id: z.string().meta({ description: "The push's `id`." }),
  action: z.enum(callbackActions),
  card_no: z.string(),
  consume_no: z.string().meta({ description: "The consumption it is about, or empty." }),
  sequence: z.int().meta({ description: "Counts up for each card, from 1 without gaps." }),
  state: z.enum(callbackStates),
  attempts: z.int(),
  created_at: timeMs,
  next_attempt_at: timeMs.nullable().meta({ description: "Null: it is over." }),
  first_failed_at: timeMs.nullable(),
  finished_at: timeMs.nullable(),
  last_error: z.string().meta({ description: "Of the latest try; empty when it was good." }),
};
export const callbackAnswer = z.strictObject(callbackShape);
export const callbackDetailAnswer = z.strictObject({
  ...callbackShape,
  data: z.string().meta({ description: "The JSON text of `data`, exactly as it is sent and signed." }),
  attempt_list: z
    .array(
      z.strictObject({
        attempt: z.int(),
        at: timeMs,
        duration_ms: z.int(),
        http_status: z.int().nullable(),
        error: z.string(),
        answer: z.string().meta({ description: "The first 4 KB." }),
      }),
    )
    .meta({ description: "The latest first, at most 100." }),
});

export function callbackToWire(entry: CallbackEntry): z.infer<typeof callbackAnswer> {
  return {
    callback_id: entry.callbackId,
    action: entry.action,
    card_no: entry.cardNo,
    consume_no: entry.consumeNo,
    sequence: entry.sequence,
    state: entry.state,
    attempts: entry.attempts,
    created_at: entry.createdAtMs,
    next_attempt_at: entry.state === "Open" ? entry.dueAtMs : null,
    first_failed_at: entry.firstFailedAtMs,
    finished_at: entry.finishedAtMs,
    last_error: entry.lastError,
  };
}

export function callbackDetailToWire(
  entry: CallbackEntry,
  attempts: readonly CallbackAttempt[],
): z.infer<typeof callbackDetailAnswer> {
  return {
    ...callbackToWire(entry),
    data: entry.dataText,
    attempt_list: attempts.map(({ attempt, attemptedAtMs, durationMs, httpStatus, error, answer }) => ({
      attempt,
      at: attemptedAtMs,
      duration_ms: durationMs,
      http_status: httpStatus,
      error,
      answer,
    })),
  };
}

export const endpointAnswer = z.strictObject({
  state: z.enum(["Active", "Paused"]),
  paused_by: z.enum(["", "failures", "operator", "merchant"]).meta({ description: "Empty while Active." }),
  paused_at: timeMs.nullable(),
  failing_since: timeMs.nullable().meta({ description: "The first failure since the last success." }),
  last_success_at: timeMs.nullable(),
  last_failure_at: timeMs.nullable(),
  open_count: z.int().meta({ description: "Pushes that are not delivered yet." }),
  open_count_is_exact: z.boolean().meta({ description: "False when there are more than are counted." }),
});

export function endpointToWire(endpoint: EndpointState): z.infer<typeof endpointAnswer> {
  return {
    state: endpoint.state,
    paused_by: endpoint.pausedBy,
    paused_at: endpoint.pausedAtMs,
    failing_since: endpoint.failingSinceMs,
    last_success_at: endpoint.lastSuccessAtMs,
    last_failure_at: endpoint.lastFailureAtMs,
    open_count: endpoint.openCount,
    open_count_is_exact: endpoint.openCountIsExact,
  };
}
