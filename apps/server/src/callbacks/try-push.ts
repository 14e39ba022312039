import type { ClaimedPush, LateAnswer } from "./claim-store.ts";
import { callbackLimits } from "./limits.ts";
import type { CallbackDeps } from "./ports.ts";
import type { PushEnd, TryResult } from "./result-store.ts";
import { nextTryAt } from "./schedule.ts";
import { type SendDeps, sendPush } from "./send-push.ts";

export interface TryDeps extends SendDeps, Pick<CallbackDeps, "clock"> {
  /** From 0 up to, not including, 1; spreads the retries. */
  readonly random: () => number;
  /** Whether the merchant has asked for patience for so long that it counts as failing. */
  readonly patienceIsOver: (merchantId: number, nowMs: number) => boolean;
}

/** A repeated push has the same id and data and a fresh `Timestamp` and `Signature`. Never rejects. */
export async function tryPush(deps: TryDeps, push: ClaimedPush): Promise<TryResult> {
  const attemptedAtMs = deps.clock.now();
  const sent = await sendPush(deps, {
    merchantId: push.merchantId,
    push: { id: push.callbackId, action: push.action, dataText: push.dataText },
    extraHeaders: [
      "Sequence",
      String(push.sequence),
      "Attempt",
      String(push.attempt),
      ...lateAnswerHeader(push.lateAnswer),
    ],
  });
  const endedAtMs = deps.clock.now();
  if (sent === null) {
    return { push, endedAtMs, end: withoutTarget({ push, nowMs: endedAtMs }), record: null };
  }
  const { httpStatus, answer, error, durationMs, patienceMs } = sent;
  const record = { httpStatus, answer, error, durationMs, attemptedAtMs };
  if (error === "") {
    return { push, endedAtMs, end: { state: "Delivered" }, record };
  }
  if (patienceMs !== null && !deps.patienceIsOver(push.merchantId, endedAtMs)) {
    return { push, endedAtMs, end: { state: "Throttled", dueAtMs: endedAtMs + patienceMs }, record };
  }
  return { push, endedAtMs, end: afterFailure(deps, { push, nowMs: endedAtMs }), record };
}

/** What the merchant answered after the deadline was not applied; it learns so, and both books agree. */
function lateAnswerHeader(late: LateAnswer | null): string[] {
  return late === null ? [] : ["Late-Answer", `code=${late.code}; after_ms=${late.afterMs}`];
}

function afterFailure(
  deps: Pick<TryDeps, "random">,
  { push, nowMs }: { readonly push: ClaimedPush; readonly nowMs: number },
): PushEnd {
  const dueAtMs = nextTryAt({
    failures: push.failures + 1,
    firstFailedAtMs: push.firstFailedAtMs ?? nowMs,
    nowMs,
    random: deps.random(),
  });
  return dueAtMs === null ? { state: "GivenUp" } : { state: "Failed", dueAtMs };
}

/** A merchant that never gets a URL must not keep its pushes for ever. */
function withoutTarget({ push, nowMs }: { readonly push: ClaimedPush; readonly nowMs: number }): PushEnd {
  return push.createdAtMs + callbackLimits.retriesEndAfterMs < nowMs ? { state: "GivenUp" } : { state: "Released" };
}
