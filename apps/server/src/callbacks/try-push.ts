import { isSuccessStatus, readAnswer } from "./answer.ts";
import type { Connections } from "./connections.ts";
import type { ClaimedPush, LateAnswer } from "./delivery-store.ts";
import { type Exchange, startExchange } from "./exchange.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackDeps, type CallbackTarget, nameOf } from "./ports.ts";
import { signedPush } from "./push.ts";
import type { PushEnd, TryRecord, TryResult } from "./result-store.ts";
import { nextTryAt } from "./schedule.ts";

export interface TryDeps extends CallbackDeps {
  readonly connections: Connections;
  /** From 0 up to, not including, 1; spreads the retries. */
  readonly random: () => number;
}

/**
 * Sends a push once (contract section 6): good on HTTP 2xx and the JSON number 0 as `code` within 5 s. A repeated push has the
 * same id and data and a fresh `Timestamp` and `Signature`. Never rejects: a push that cannot be sent has failed.
 */
export async function tryPush(deps: TryDeps, push: ClaimedPush): Promise<TryResult> {
  const attemptedAtMs = deps.clock.now();
  const startedMs = performance.now();
  let sent: Pick<TryRecord, "httpStatus" | "answer" | "error"> | null;
  try {
    const target = await deps.target(push.merchantId);
    sent = target === null ? null : await send(deps, { push, target });
  } catch (error) {
    deps.log.error(
      { merchantId: push.merchantId, callbackId: push.callbackId, error: nameOf(error) },
      "a push could not be sent",
    );
    sent = { httpStatus: null, answer: "", error: `internal:${nameOf(error)}` };
  }
  const endedAtMs = deps.clock.now();
  const { merchantId, callbackId, attempt } = push;
  const base = { merchantId, callbackId, attempt, endedAtMs };
  if (sent === null) {
    return { ...base, end: withoutTarget({ push, nowMs: endedAtMs }), record: null };
  }
  const record = { ...sent, attemptedAtMs, durationMs: performance.now() - startedMs };
  return {
    ...base,
    end: sent.error === "" ? { state: "Delivered" } : afterFailure(deps, { push, nowMs: endedAtMs }),
    record,
  };
}

async function send(
  deps: TryDeps,
  { push, target }: { readonly push: ClaimedPush; readonly target: CallbackTarget },
): Promise<Pick<TryRecord, "httpStatus" | "answer" | "error">> {
  const connection = deps.connections.to({ merchantId: push.merchantId, target });
  if (!connection.ok) {
    return { httpStatus: null, answer: "", error: connection.reason };
  }
  const request = signedPush(
    { id: push.callbackId, action: push.action, dataText: push.dataText },
    {
      target,
      timestampMs: deps.transportClock.now(),
      extraHeaders: [
        "Sequence",
        String(push.sequence),
        "Attempt",
        String(push.attempt),
        ...lateAnswerHeader(push.lateAnswer),
      ],
    },
  );
  const exchange = await startExchange(connection.value, {
    ...request,
    deadlineMs: callbackLimits.tryDeadlineMs,
    lateMs: 0,
    answerBytesMax: callbackLimits.answerBytesMax,
  }).outcome;
  return { httpStatus: exchange.httpStatus, answer: keptText(exchange.body), error: faultOf(exchange) };
}

/** What the merchant answered after the deadline was not applied; it learns so, and both books agree. */
function lateAnswerHeader(late: LateAnswer | null): string[] {
  return late === null ? [] : ["Late-Answer", `code=${late.code}; after_ms=${late.afterMs}`];
}

/** Why a try was not good; empty when it was. */
function faultOf({ end, error, httpStatus, body }: Exchange): string {
  if (end !== "answered") {
    return error;
  }
  if (!isSuccessStatus(httpStatus)) {
    return "http_status";
  }
  const answer = readAnswer(body);
  if (answer === null) {
    return "not_an_answer";
  }
  return answer.code === 0 ? "" : "code_not_zero";
}

function keptText(body: Buffer): string {
  return body.subarray(0, callbackLimits.answerBytesKept).toString("utf8").replaceAll("\u0000", "\uFFFD");
}

function afterFailure(deps: TryDeps, { push, nowMs }: { readonly push: ClaimedPush; readonly nowMs: number }): PushEnd {
  const dueAtMs = nextTryAt({
    failures: push.failures + 1,
    firstFailedAtMs: push.firstFailedAtMs ?? nowMs,
    nowMs,
    random: deps.random(),
  });
  return dueAtMs === null ? { state: "GivenUp" } : { state: "Due", dueAtMs };
}

/** A merchant that never gets a URL must not keep its pushes for ever. */
function withoutTarget({ push, nowMs }: { readonly push: ClaimedPush; readonly nowMs: number }): PushEnd {
  return push.createdAtMs + callbackLimits.retriesEndAfterMs < nowMs ? { state: "GivenUp" } : { state: "Released" };
}
