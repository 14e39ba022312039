import { performance } from "node:perf_hooks";
import type { Dispatcher } from "undici";
import type { MerchantConnection } from "./connections.ts";
import { callbackLimits } from "./limits.ts";
import { nameOf } from "./ports.ts";

/** How far an exchange came, in milliseconds since the request was handed to the connection; `null`: it did not come that far. */
export interface ExchangeTimings {
  /** The connection was ready and the request began to be written; about 0 on a kept-alive one. */
  readonly connectMs: number | null;
  readonly sendMs: number | null;
  readonly firstByteMs: number | null;
  readonly doneMs: number | null;
}

/** `unreachable`: no connection, or it broke before an answer began. `broken`: an answer began, but is not HTTP, ends early or is too large. */
export type ExchangeEnd = "answered" | "timeout" | "unreachable" | "broken";

export interface Exchange {
  readonly end: ExchangeEnd;
  readonly httpStatus: number | null;
  /** What was received of the body; all of it only when `end` is `answered`. */
  readonly body: Buffer;
  /** The header `Retry-After` of the answer. */
  readonly retryAfter: string | null;
  readonly timings: ExchangeTimings;
  /** A short code for the log and the operator, never a text from outside; empty when answered. */
  readonly error: string;
}

export interface ExchangeRequest {
  /** Names and values in turn. */
  readonly headers: string[];
  readonly body: string;
  /** From handing over the request to the last byte of the answer, in real time. */
  readonly deadlineMs: number;
  /** After the deadline a late answer is still read for this long. */
  readonly lateMs: number;
  readonly answerBytesMax: number;
}

export interface RunningExchange {
  /** Settles at the deadline at the latest. Never rejects. */
  readonly outcome: Promise<Exchange>;
  /** Settles when the exchange holds no connection any more; tells a late answer. Never rejects. */
  readonly over: Promise<Exchange>;
}

type How = Pick<Exchange, "end" | "error">;
const timedOut: How = { end: "timeout", error: "timeout" };

class AnswerTooLarge extends Error {}

interface State {
  readonly connection: MerchantConnection;
  readonly request: ExchangeRequest;
  readonly startedMs: number;
  readonly chunks: Buffer[];
  bytes: number;
  httpStatus: number | null;
  retryAfter: string | null;
  connectMs: number | null;
  sendMs: number | null;
  firstByteMs: number | null;
  controller: Dispatcher.DispatchController | null;
  sentAgain: boolean;
  /** Nobody waits any more, but undici may still hold the request in its line for a connection. */
  givenUp: boolean;
  timer: NodeJS.Timeout | undefined;
  settle: ((exchange: Exchange) => void) | null;
  finish: ((exchange: Exchange) => void) | null;
}

/**
 * Posts a body and reads the answer, with an exact deadline and exact times. `dispatch` with an own handler costs 53–65 µs of
 * CPU per call, `fetch` 475–540.
 *
 * A kept-alive connection may have been closed by the other side just before. undici looks for that before it writes and takes
 * another connection; where it comes too late, but no byte of the request was accepted, the request is sent once more within the
 * same deadline. Whatever may have been read is never sent twice.
 */
export function startExchange(connection: MerchantConnection, request: ExchangeRequest): RunningExchange {
  const outcome = Promise.withResolvers<Exchange>();
  const over = Promise.withResolvers<Exchange>();
  const state: State = {
    connection,
    request,
    startedMs: performance.now(),
    chunks: [],
    bytes: 0,
    httpStatus: null,
    retryAfter: null,
    connectMs: null,
    sendMs: null,
    firstByteMs: null,
    controller: null,
    sentAgain: false,
    givenUp: false,
    timer: undefined,
    settle: outcome.resolve,
    finish: over.resolve,
  };
  state.timer = setTimeout(() => onDeadline(state), request.deadlineMs);
  send(state);
  return { outcome: outcome.promise, over: over.promise };
}

function send(state: State): void {
  const { connection, request } = state;
  connection.dispatcher.dispatch(
    { path: connection.path, method: "POST", headers: request.headers, body: request.body },
    handlerOf(state),
  );
}

function handlerOf(state: State): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller) => {
      if (state.settle !== null && isTooLateToAsk(state)) {
        settle(state, snapshot(state, timedOut));
        state.givenUp = true;
      }
      if (state.givenUp) {
        // Thrown before a byte was written, this leaves the fresh connection to the next request; aborting would destroy it.
        throw new Error("the exchange is over");
      }
      state.controller = controller;
      state.connectMs = sinceStart(state);
    },
    onRequestSent: () => {
      state.sendMs = sinceStart(state);
    },
    onResponseStarted: () => {
      state.firstByteMs ??= sinceStart(state);
    },
    onResponseStart: (_controller, httpStatus, headers) => {
      state.httpStatus = httpStatus;
      const retryAfter = headers["retry-after"];
      state.retryAfter = typeof retryAfter === "string" ? retryAfter : null;
    },
    onResponseData: (controller, chunk) => onData(state, controller, chunk),
    onResponseEnd: () => finish(state, { end: "answered", error: "" }),
    onResponseError: (_controller, error) => onError(state, error),
  };
}

/** A twentieth of the deadline (40 of 800 ms): who gets its connection later than that could not be answered in time. */
function isTooLateToAsk(state: State): boolean {
  const { deadlineMs } = state.request;
  return sinceStart(state) > deadlineMs - deadlineMs / 20;
}

function onError(state: State, error: Error): void {
  const waited = state.settle !== null && !state.givenUp;
  if (waited && !state.sentAgain && nothingWasAccepted(state, error)) {
    state.sentAgain = true;
    state.connectMs = null;
    state.sendMs = null;
    state.controller = null;
    // undici is still clearing up after the broken connection and must not be called from within.
    setImmediate(() => send(state));
  } else {
    finish(state, endOfError(state, error));
  }
}

/** The connection was reset before undici began to write, or the one call that was to write the whole request was refused. */
function nothingWasAccepted({ request, connectMs, firstByteMs }: State, error: Error): boolean {
  const code = codeOf(error);
  if (firstByteMs !== null || (code !== "ECONNRESET" && code !== "EPIPE")) {
    return false;
  }
  const writeRefused = "syscall" in error && error.syscall === "write";
  return connectMs === null || (writeRefused && Buffer.byteLength(request.body) <= callbackLimits.oneWriteBytesMax);
}

function codeOf(error: unknown): string {
  return nameOf(error).slice(0, 64);
}

function onData(state: State, controller: Dispatcher.DispatchController, chunk: Buffer): void {
  const room = state.request.answerBytesMax - state.bytes;
  // undici reuses its memory after this call.
  state.chunks.push(Buffer.from(chunk.subarray(0, room)));
  state.bytes += Math.min(chunk.length, room);
  if (chunk.length > room) {
    controller.abort(new AnswerTooLarge());
  }
}

function onDeadline(state: State): void {
  const { lateMs } = state.request;
  settle(state, snapshot(state, timedOut));
  // A request that still waits for its connection has nothing to read late.
  if (lateMs > 0 && state.connectMs !== null) {
    state.timer = setTimeout(() => giveUp(state), lateMs);
  } else {
    giveUp(state);
  }
}

function giveUp(state: State): void {
  state.givenUp = true;
  state.controller?.abort(new Error("the deadline has passed"));
}

function settle(state: State, exchange: Exchange): void {
  state.settle?.(exchange);
  state.settle = null;
}

/** undici has let go of the request: the last word about the exchange. */
function finish(state: State, how: How): void {
  clearTimeout(state.timer);
  const exchange = snapshot(state, how);
  const { doneMs } = exchange.timings;
  // After a stall of this process the last byte can be read before the timer fires.
  const late = doneMs !== null && doneMs > state.request.deadlineMs;
  settle(state, late ? { ...exchange, ...timedOut } : exchange);
  state.finish?.(exchange);
  state.finish = null;
}

function snapshot(state: State, { end, error }: How): Exchange {
  const { connectMs, sendMs, firstByteMs, httpStatus, retryAfter } = state;
  const doneMs = end === "answered" ? sinceStart(state) : null;
  return {
    end,
    error,
    httpStatus,
    retryAfter,
    body: Buffer.concat(state.chunks),
    timings: { connectMs, sendMs, firstByteMs, doneMs },
  };
}

function endOfError(state: State, error: Error): How {
  if (error instanceof AnswerTooLarge) {
    return { end: "broken", error: "answer_too_large" };
  }
  if (state.givenUp) {
    return timedOut;
  }
  const code = codeOf(error);
  const answerBegan = state.firstByteMs !== null || code.startsWith("HPE_");
  return { end: answerBegan ? "broken" : "unreachable", error: code };
}

function sinceStart({ startedMs }: State): number {
  return performance.now() - startedMs;
}
