import { performance } from "node:perf_hooks";
import { isSuccessStatus, readAnswer } from "./answer.ts";
import type { Connections } from "./connections.ts";
import { type Exchange, startExchange } from "./exchange.ts";
import { callbackLimits } from "./limits.ts";
import { type CallbackDeps, type CallbackTarget, nameOf } from "./ports.ts";
import { type Push, signedPush } from "./push.ts";
import { patienceOf } from "./retry-after.ts";

export interface SendDeps extends Pick<CallbackDeps, "log" | "target" | "transportClock"> {
  readonly connections: Connections;
}

/** A push that went out, or should have. */
export interface Sent {
  readonly httpStatus: number | null;
  /** The first 4 KB of the answer, without NUL characters. */
  readonly answer: string;
  /** Why it was not good; empty when it was. */
  readonly error: string;
  /** The merchant asks to be left alone for so long: HTTP 429, or 503 that says for how long. `null`: it does not. */
  readonly patienceMs: number | null;
  readonly durationMs: number;
}

export interface Sending {
  readonly merchantId: number;
  readonly push: Push;
  /** Names and values in turn. */
  readonly extraHeaders: readonly string[];
}

/**
 * Sends a push once (contract section 6): good on HTTP 2xx and the JSON number 0 as `code` within 5 s. `null` when the merchant has
 * no callback URL. Never rejects: a push that cannot be sent has failed.
 */
export async function sendPush(deps: SendDeps, sending: Sending): Promise<Sent | null> {
  const startedMs = performance.now();
  const since = (): number => performance.now() - startedMs;
  try {
    const target = await deps.target(sending.merchantId);
    return target === null ? null : { ...(await exchangeWith(deps, { sending, target })), durationMs: since() };
  } catch (error) {
    const { merchantId, push } = sending;
    deps.log.error({ merchantId, callbackId: push.id, error: nameOf(error) }, "a push could not be sent");
    return { ...unsent(`internal:${nameOf(error)}`), durationMs: since() };
  }
}

function unsent(error: string): Omit<Sent, "durationMs"> {
  return { httpStatus: null, answer: "", error, patienceMs: null };
}

async function exchangeWith(
  deps: SendDeps,
  { sending, target }: { readonly sending: Sending; readonly target: CallbackTarget },
): Promise<Omit<Sent, "durationMs">> {
  const { merchantId, push, extraHeaders } = sending;
  const connection = deps.connections.to({ merchantId, target });
  if (!connection.ok) {
    return unsent(connection.reason);
  }
  const request = signedPush(push, { target, timestampMs: deps.transportClock.now(), extraHeaders });
  const exchange = await startExchange(connection.value, {
    ...request,
    deadlineMs: callbackLimits.tryDeadlineMs,
    lateMs: 0,
    answerBytesMax: callbackLimits.answerBytesMax,
  }).outcome;
  const patienceMs = patienceIn(exchange, deps.transportClock.now());
  return {
    httpStatus: exchange.httpStatus,
    answer: keptText(exchange.body),
    error: patienceMs === null ? faultOf(exchange) : "asks_for_patience",
    patienceMs,
  };
}

function patienceIn({ end, httpStatus, retryAfter }: Exchange, nowMs: number): number | null {
  const asks = end === "answered" && (httpStatus === 429 || (httpStatus === 503 && retryAfter !== null));
  return asks ? patienceOf(retryAfter, nowMs) : null;
}

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
