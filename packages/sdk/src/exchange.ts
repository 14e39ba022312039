import { CardwrightError, ConnectionError, TimeoutError } from "./errors.ts";
import type { FetchLike } from "./options.ts";

/** The largest page, 100 packages with their fees, has 200 KB; more than this is no answer of the platform. */
const answerBytesMax = 8 * 1024 * 1024;

export interface HttpRequest {
  /** For errors: method and path, without host and query. */
  readonly call: string;
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  /** From the start to the answer's last byte. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** One HTTP call. Throws ConnectionError, TimeoutError, or the reason of the caller's signal. */
export async function exchange(request: HttpRequest, fetch: FetchLike): Promise<HttpAnswer> {
  return await bounded(request, async (signal) => {
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      // The platform never redirects; a credential must not follow to wherever a foreign answer points.
      redirect: "manual",
      signal,
      ...(request.body !== undefined && { body: request.body }),
    });
    if (response.type === "opaqueredirect" || (response.status >= 300 && response.status < 400)) {
      throw new ConnectionError(request.call, "the answer was a redirect");
    }
    return { status: response.status, headers: response.headers, text: await textOf(response, request.call) };
  });
}

interface Bounds {
  readonly call: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Work that is given up after a time, or when the caller's signal says so; also work that minds no signal. */
export async function bounded<Value>(
  { call, timeoutMs, signal }: Bounds,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  signal?.throwIfAborted();
  const ending = new AbortController();
  let cleanUp = (): void => {};
  const givenUp = new Promise<never>((_, reject) => {
    const aborted = (): void => reject(signal?.reason);
    const late = (): void => reject(new TimeoutError(call, `none within ${Math.round(timeoutMs)} ms`));
    const timer = setTimeout(late, timeoutMs);
    signal?.addEventListener("abort", aborted, { once: true });
    cleanUp = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
    };
  });
  const worked = (async () => await work(ending.signal))();
  try {
    return await Promise.race([worked, givenUp]);
  } catch (error) {
    if (error instanceof CardwrightError || signal?.aborted === true) throw error;
    throw new ConnectionError(call, reasonOf(error));
  } finally {
    cleanUp();
    // Work that was given up ends with an error that nobody waits for any more.
    worked.catch(() => {});
    ending.abort();
  }
}

/** The whole body, or an error as soon as it is longer than allowed. */
async function textOf(response: Response, call: string): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.byteLength;
    if (length > answerBytesMax) {
      await reader.cancel();
      throw new ConnectionError(call, `the answer is longer than ${answerBytesMax} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** `fetch` says only "fetch failed" and keeps what happened as the cause's code: `ECONNREFUSED`. Messages may hold addresses; codes do not. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? code : "the connection failed";
}
