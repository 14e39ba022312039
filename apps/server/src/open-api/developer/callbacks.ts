import { type DeveloperData, isPublicNumber, PUSH_PAGE_DEFAULT, type PushState } from "@cardwright/contract";
import type { CallbackEntry, CallbackState } from "#callbacks/index.ts";
import { ok } from "#kernel/index.ts";
import { fail } from "../answer.ts";
import type { DeveloperHandler } from "./handler.ts";

/** A push's id as it is sent. Any other text cannot be one, and the database could not even be asked for some of it. */
const callbackIdForm = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;

const stateOfWire: Readonly<Record<PushState, CallbackState>> = {
  Open: "Open",
  Delivered: "Delivered",
  Given_up: "GivenUp",
};
const wireOfState: Readonly<Record<CallbackState, PushState>> = {
  Open: "Open",
  Delivered: "Delivered",
  GivenUp: "Given_up",
};

export const listCallbacks: DeveloperHandler<"developer.callback_list"> = async (deps, call, input) => {
  const { state, action, card_no: cardNo, consume_no: consumeNo, before, size } = input;
  if (before !== undefined && !callbackIdForm.test(before)) {
    return fail("invalid_parameter", "before");
  }
  if ([cardNo, consumeNo].some((number) => number !== undefined && !isPublicNumber(number))) {
    return ok({ list: [] });
  }
  const entries = await deps.callbacks.history.list({
    merchantId: call.merchant.merchantId,
    limit: size ?? PUSH_PAGE_DEFAULT,
    ...(state !== undefined && { state: stateOfWire[state] }),
    ...(action !== undefined && { action }),
    ...(cardNo !== undefined && { cardNo }),
    ...(consumeNo !== undefined && { consumeNo }),
    ...(input.start_time !== undefined && { fromMs: input.start_time }),
    ...(input.end_time !== undefined && { toMs: input.end_time }),
    ...(before !== undefined && { before }),
  });
  return ok({ list: entries.map(entryToWire) });
};

export const callbackInfo: DeveloperHandler<"developer.callback_info"> = async (deps, call, input) => {
  const { history } = deps.callbacks;
  const key = { merchantId: call.merchant.merchantId, callbackId: input.callback_id };
  const entry = callbackIdForm.test(key.callbackId) ? await history.find(key) : null;
  if (entry === null) {
    return fail("callback_unknown");
  }
  const attempts = await history.attemptsOf(key);
  return ok({
    ...entryToWire(entry),
    data: dataOf(entry),
    attempt_list: attempts.map(({ attempt, attemptedAtMs, durationMs, httpStatus, error, answer }) => ({
      attempt,
      time: attemptedAtMs,
      duration_ms: durationMs,
      http_status: httpStatus ?? 0,
      error,
      answer,
    })),
  });
};

/** Of the ids only those that can be one are asked for; all that are not found are told, in the order they came in. */
export const resendCallbacks: DeveloperHandler<"developer.callback_resend"> = async (deps, call, input) => {
  const { history } = deps.callbacks;
  const { merchantId } = call.merchant;
  const { callback_ids: callbackIds, since } = input;
  if (callbackIds !== undefined) {
    const wanted = [...new Set(callbackIds)];
    const possible = wanted.filter((id) => callbackIdForm.test(id));
    const { resent, unknown } = await history.resendMany({ merchantId, callbackIds: possible });
    const absent = new Set(unknown);
    return ok({ resent, unknown: wanted.filter((id) => absent.has(id) || !callbackIdForm.test(id)) });
  }
  const resent =
    since === undefined
      ? await history.resendMissed({ merchantId })
      : await history.resendSince({ merchantId, sinceMs: since });
  return ok({ resent, unknown: [] });
};

function entryToWire(entry: CallbackEntry): DeveloperData<"developer.callback_list">["list"][number] {
  return {
    callback_id: entry.callbackId,
    action: entry.action,
    card_no: entry.cardNo,
    consume_no: entry.consumeNo,
    sequence: entry.sequence,
    state: wireOfState[entry.state],
    attempts: entry.attempts,
    created_at: entry.createdAtMs,
    next_attempt_at: entry.state === "Open" ? entry.dueAtMs : 0,
    finished_at: entry.finishedAtMs ?? 0,
    last_error: entry.lastError,
  };
}

function dataOf({ callbackId, dataText }: CallbackEntry): Record<string, unknown> {
  const data: unknown = JSON.parse(dataText);
  if (typeof data !== "object" || data === null) {
    throw new Error(`the data of push ${callbackId} is no object`);
  }
  return Object.fromEntries(Object.entries(data));
}
