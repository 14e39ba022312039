/** A call that was answered with something else than a success: says who, what and the answer's own words. */
export class CallFailed extends Error {
  override readonly name = "CallFailed";
}

const timeoutMs = 30_000;

export interface Answer<Body> {
  readonly body: Body;
  readonly milliseconds: number;
}

/** One JSON call with a time-out; throws `CallFailed` unless the answer is 2xx. */
export async function call<Body>(request: {
  readonly method?: "GET" | "POST" | "PATCH" | "PUT";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}): Promise<Answer<Body>> {
  const started = performance.now();
  const method = request.method ?? (request.body === undefined ? "GET" : "POST");
  const response = await fetch(request.url, {
    method,
    headers: { ...(request.body === undefined ? {} : { "Content-Type": "application/json" }), ...request.headers },
    body: request.body === undefined ? null : JSON.stringify(request.body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new CallFailed(`${method} ${request.url} answered ${response.status}: ${text.slice(0, 500)}`);
  }
  return { body: JSON.parse(text) as Body, milliseconds: performance.now() - started };
}
