import { ApiError, CardwrightError, ConnectionError } from "../errors.ts";
import { reasonOf } from "../exchange.ts";
import type { Transport } from "../transport.ts";
import { segment } from "./call.ts";

/** A callback that came in at the platform for this merchant, header by header and character by character. */
export interface ListenRequest {
  readonly request_id: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the callback is answered with. */
export interface ListenAnswer {
  readonly status: number;
  readonly content_type: string;
  readonly body: string;
}

export interface Listening {
  readonly listen_id: string;
  readonly callback_url: string;
  /** Empty where there was none. */
  readonly previous_callback_url: string;
}

export interface ListenOptions {
  /** Has 5 s, an `Auth` has 800 ms. What it throws goes to `onError`, and the callback gets HTTP 502. */
  readonly handle: (request: ListenRequest) => Promise<ListenAnswer> | ListenAnswer;
  /** Ends the listening. */
  readonly signal: AbortSignal;
  readonly onListening?: ((listening: Listening) => void) | undefined;
  /** Told of a callback that could not be answered. */
  readonly onError?: ((error: unknown) => void) | undefined;
  /** Told once when the platform cannot be reached any more. It is tried again for some 20 s, then `listen` rejects with this error. */
  readonly onLost?: ((error: CardwrightError) => void) | undefined;
  /** Told when it is reached again after `onLost`: callbacks come as before. */
  readonly onReopened?: (() => void) | undefined;
}

const path = "/sandbox/v1/listen";
/** The platform sends an empty line every 5 s: after three missing ones nobody is there any more. */
const silenceMsMax = 15_000;
/** Callbacks that are handled at once; the others wait in the connection. */
const handledMax = 64;
/** A callback's body has 64 KB at most, and its headers a few hundred bytes. */
const lineCharactersMax = 1_048_576;
/** Tries in vain to get the stream back, a second apart: the platform gives the listening up after 30 s without one. */
const reopenTriesMax = 20;
const reopenWaitMs = 1_000;

export async function listen(transport: Transport, options: ListenOptions): Promise<void> {
  const post = <Data>(below: string, body: object): Promise<Data> =>
    transport.sandboxCall({ method: "POST", path: path + below, body, repeatable: "when_refused" }, undefined);
  const listening = await post<Listening>("", {});
  const id = `/${segment("listen_id", listening.listen_id)}`;
  try {
    options.onListening?.(listening);
    await receive(transport, {
      id,
      options,
      answer: (requestId, answer) => post(`${id}/answers/${requestId}`, answer),
    });
  } finally {
    // Gone already where the platform has given it up, or somebody else listens now; one that is away ends it by itself.
    await post(`${id}/end`, {}).catch(() => {});
  }
}

interface Receiving {
  readonly id: string;
  readonly options: ListenOptions;
  readonly answer: (requestId: string, answer: ListenAnswer) => Promise<unknown>;
}

async function receive(transport: Transport, receiving: Receiving): Promise<void> {
  const { signal, onLost, onReopened } = receiving.options;
  for (let triesInVain = 0; !signal.aborted; ) {
    try {
      const stream = await transport.sandboxStream(`${path}${receiving.id}/requests`, signal);
      if (triesInVain > 0) onReopened?.();
      triesInVain = 0;
      // A platform that stops ends it in good order, and is away after that.
      await answerEach(stream, receiving);
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error) || triesInVain >= reopenTriesMax) throw error;
      if (triesInVain === 0) onLost?.(error);
      triesInVain += 1;
    }
    await waited(reopenWaitMs, signal);
  }
}

/** A platform that is being started again comes back. */
function isPassing(error: unknown): error is CardwrightError {
  return error instanceof ApiError ? error.httpStatus >= 500 : error instanceof ConnectionError;
}

async function waited(ms: number, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

async function answerEach(stream: ReadableStream<Uint8Array>, receiving: Receiving): Promise<void> {
  const handled = new Set<Promise<void>>();
  for await (const line of linesOf(stream)) {
    if (line === "") continue;
    const one: Promise<void> = answerOne(line, receiving).finally(() => handled.delete(one));
    handled.add(one);
    if (handled.size >= handledMax) await Promise.race(handled);
  }
  await Promise.all(handled);
}

async function answerOne(line: string, { options, answer }: Receiving): Promise<void> {
  try {
    const request = requestOf(line);
    const handled = await handledOr502(request, options);
    await answer(segment("request_id", request.request_id), handled);
  } catch (error) {
    options.onError?.(error);
  }
}

async function handledOr502(request: ListenRequest, options: ListenOptions): Promise<ListenAnswer> {
  try {
    return await options.handle(request);
  } catch (error) {
    options.onError?.(error);
    return { status: 502, content_type: "text/plain", body: "the listener could not answer" };
  }
}

function requestOf(line: string): ListenRequest {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null) throw new CardwrightError("a line of the stream is no request");
  const { request_id, headers, body } = Object.fromEntries(Object.entries(value));
  if (typeof request_id !== "string" || typeof body !== "string" || typeof headers !== "object" || headers === null) {
    throw new CardwrightError("a line of the stream is no request");
  }
  const named = Object.entries(headers).map(([name, text]) => [name.toLowerCase(), String(text)] as const);
  return { request_id, body, headers: Object.fromEntries(named) };
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (;;) {
      const { done, value } = await withinSilence(reader.read());
      if (done) return;
      text += decoder.decode(value, { stream: true });
      const lines = text.split("\n");
      text = lines.pop() ?? "";
      if (text.length > lineCharactersMax) throw new ConnectionError(`GET ${path}`, "a line is too long");
      yield* lines;
    }
  } catch (error) {
    // A connection that breaks is no error of this package where it comes from.
    throw error instanceof CardwrightError ? error : new ConnectionError(`GET ${path}`, reasonOf(error));
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function withinSilence<Value>(reading: Promise<Value>): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silent = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new ConnectionError(`GET ${path}`, "the stream fell silent")), silenceMsMax);
  });
  try {
    return await Promise.race([reading, silent]);
  } finally {
    clearTimeout(timer);
  }
}
