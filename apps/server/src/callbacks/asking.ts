import { setImmediate as nextTurn } from "node:timers/promises";
import { ok, type Result, refused } from "#kernel/index.ts";
import type { Connections } from "./connections.ts";
import { type Exchange, type RunningExchange, startExchange } from "./exchange.ts";
import { callbackLimits } from "./limits.ts";
import type { CallbackTarget } from "./ports.ts";
import { signedPush } from "./push.ts";
import { type QuestionAnswer, verdictOf } from "./verdict.ts";

/** All that it takes to ask a merchant; can be handed to another thread. */
export interface AskOrder {
  readonly merchantId: number;
  readonly target: CallbackTarget;
  /** Of the `Auth` callback (contract section 6). */
  readonly pushId: string;
  readonly dataText: string;
  /** Of its `Timestamp` header, Unix ms. */
  readonly timestampMs: number;
}

/** A question on its way. */
export interface Asking {
  /** What the purchase goes by; refused with a short code when nothing was sent. Settles at the deadline, or soon after it, at the latest; never rejects. */
  readonly answer: Promise<Result<QuestionAnswer, string>>;
  /** Settles when the question holds no connection any more. Never rejects. */
  readonly over: Promise<AskingEnd>;
}

export interface AskingEnd {
  /** All that is known by now, when that is more than the answer; otherwise null. */
  readonly last: QuestionAnswer | null;
  /** A whole answer came after the deadline. */
  readonly late: boolean;
}

export const nothingMore: AskingEnd = { last: null, late: false };

const extraHeaders = ["Deadline-Ms", String(callbackLimits.questionDeadlineMs)];

/** A question that was not sent. */
export function notSent(why: string): Asking {
  return { answer: Promise.resolve(refused(why)), over: Promise.resolve(nothingMore) };
}

/** Asks the merchant `Auth` (contract section 6). Rejects when `dataText` is not the text of a JSON object or the secret is none. */
export async function startAsking(connections: Connections, order: AskOrder): Promise<Asking> {
  const { merchantId, target, pushId, dataText, timestampMs } = order;
  // In the next turn of the event loop everything that has reached this machine by now is known, the end of an idle connection
  // above all. Written in this turn, the question could go into a connection that the merchant has closed, and be lost.
  await nextTurn();
  const connection = connections.to({ merchantId, target });
  if (!connection.ok) {
    return notSent(connection.reason);
  }
  connections.keepWarm(merchantId);
  const request = signedPush({ id: pushId, action: "Auth", dataText }, { target, timestampMs, extraHeaders });
  return following(
    startExchange(connection.value, {
      ...request,
      deadlineMs: callbackLimits.questionDeadlineMs,
      lateMs: callbackLimits.lateAnswerMs,
      answerBytesMax: callbackLimits.answerBytesMax,
    }),
  );
}

function following({ outcome, over }: RunningExchange): Asking {
  const answer = outcome.then(verdictOf);
  return { answer: answer.then(ok), over: endOf(answer, over) };
}

async function endOf(answer: Promise<QuestionAnswer>, over: Promise<Exchange>): Promise<AskingEnd> {
  const exchange = await over;
  const { outcome } = await answer;
  const late = outcome.kind === "timeout" && exchange.end === "answered";
  return late ? { last: verdictOf(exchange), late } : nothingMore;
}
