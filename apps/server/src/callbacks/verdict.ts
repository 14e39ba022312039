import { isSuccessStatus, type MerchantDecision, readDecision } from "./answer.ts";
import type { QuestionEnd } from "./breaker.ts";
import type { Exchange, ExchangeTimings } from "./exchange.ts";

/** What the merchant said to a purchase, or why it said nothing. Everything but `approved` fails the purchase, or is left to its policy. */
export type QuestionOutcome =
  | MerchantDecision
  /** No complete answer within 800 ms. */
  | { readonly kind: "timeout" }
  /** No callback URL, no connection, or it broke before an answer began. */
  | { readonly kind: "unreachable" }
  /** Not HTTP 2xx, not JSON, no number as `code`, an `approved_amount` that is no amount, too large, or broken off. */
  | { readonly kind: "bad_answer" }
  /** Too many questions are open already: not asked. */
  | { readonly kind: "busy" }
  /** The merchant's server has failed ten times in a row: not asked, to leave it in peace. */
  | { readonly kind: "circuit_open" };

export interface QuestionTimings extends ExchangeTimings {
  /** The answer had been read, in milliseconds since the request was handed to the connection; `null`: there was none. */
  readonly parseMs: number | null;
}

export interface QuestionAnswer {
  readonly outcome: QuestionOutcome;
  readonly timings: QuestionTimings;
  readonly httpStatus: number | null;
  readonly answerCode: number | null;
  /** A short code that says more about `unreachable` and `bad_answer`; else empty. */
  readonly error: string;
}

const noTimings: QuestionTimings = {
  connectMs: null,
  sendMs: null,
  firstByteMs: null,
  doneMs: null,
  parseMs: null,
};

/** What an exchange that has ended means for the purchase. */
export function verdictOf(exchange: Exchange): QuestionAnswer {
  const { httpStatus, error } = exchange;
  const timings = { ...exchange.timings, parseMs: null };
  switch (exchange.end) {
    case "timeout":
      return { outcome: { kind: "timeout" }, timings, httpStatus, answerCode: null, error: "" };
    case "unreachable":
      return { outcome: { kind: "unreachable" }, timings, httpStatus, answerCode: null, error };
    case "broken":
      return { outcome: { kind: "bad_answer" }, timings, httpStatus, answerCode: null, error };
    case "answered": {
      const startedMs = performance.now();
      const read = readOutcome(exchange);
      const parseMs = (timings.doneMs ?? 0) + performance.now() - startedMs;
      return { ...read, timings: { ...timings, parseMs }, httpStatus };
    }
  }
}

function readOutcome({ body, httpStatus }: Exchange): Pick<QuestionAnswer, "outcome" | "answerCode" | "error"> {
  // A server that fails often says so in JSON with a code of its own: that is no merchant's decision.
  if (!isSuccessStatus(httpStatus)) {
    return { outcome: { kind: "bad_answer" }, answerCode: null, error: "http_status" };
  }
  const decision = readDecision(body);
  if (decision === null) {
    return { outcome: { kind: "bad_answer" }, answerCode: null, error: "not_an_answer" };
  }
  return { outcome: decision, answerCode: decision.kind === "approved" ? 0 : decision.code, error: "" };
}

export function withoutAsking(why: Pick<QuestionAnswer, "outcome" | "error">): QuestionAnswer {
  return { ...why, timings: noTimings, httpStatus: null, answerCode: null };
}

/** What a question that was sent tells about the merchant's server. */
export function healthOf({ kind }: QuestionOutcome): QuestionEnd {
  switch (kind) {
    case "approved":
    case "declined":
      return "answered";
    case "timeout":
    case "unreachable":
    case "bad_answer":
      return "failed";
    case "busy":
    case "circuit_open":
      return "not_sent";
  }
}
