/** No usable answer came: whether the call took effect is unknown. Calls with a `…_unique_no` may simply be repeated. */
export class NoAnswer extends Error {
  constructor(path: string, why: string) {
    super(`${path} got no answer: ${why}`);
    this.name = "NoAnswer";
  }
}

const answerBytesMax = 1024 * 1024;

/** One HTTP call that is answered in JSON, whatever the HTTP status. Throws NoAnswer. */
export async function exchangeJson(request: {
  url: URL;
  method: "GET" | "POST";
  headers: Headers;
  body: unknown;
  timeoutMs: number;
}): Promise<unknown> {
  request.headers.set("Content-Type", "application/json");
  try {
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      body: request.body === undefined ? null : JSON.stringify(request.body),
      redirect: "error",
      signal: AbortSignal.timeout(request.timeoutMs),
    });
    const body = response.body === null ? undefined : await cappedBody(response.body, answerBytesMax);
    return JSON.parse(body?.toString("utf8") ?? "");
  } catch (error) {
    throw new NoAnswer(request.url.pathname, reasonOf(error));
  }
}

/** `fetch` says only "fetch failed" and keeps the reason (connection refused, …) as the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** The whole body, or undefined as soon as it is longer than `bytesMax`: nobody can make us hold more than that. */
export async function cappedBody(chunks: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer | undefined> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    length += chunk.length;
    if (length > bytesMax) return undefined;
    kept.push(chunk);
  }
  return Buffer.concat(kept);
}
