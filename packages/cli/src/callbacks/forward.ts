import type { ReceivedCallback } from "./signatures.ts";

/** What a local server has answered. */
export interface Forwarded {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly tookMs: number;
  /** Why there is no answer; "" when there is one. */
  readonly problem: string;
}

/** The platform gives a push 5 s; what comes later reaches nobody. */
export const answerMsMax = 5_000;
/** What the platform reads of an answer. */
const answerBytesMax = 16_384;
/** Belong to a connection, not to a message. */
const connectionHeaders = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Gives a callback to a local server with all its headers, byte for byte. Never throws: a server that is away is an answer too. */
export async function forward(url: string, { headers, body }: ReceivedCallback): Promise<Forwarded> {
  const startedMs = performance.now();
  const took = (): number => performance.now() - startedMs;
  try {
    const answer = await fetch(url, {
      method: "POST",
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !connectionHeaders.has(name))),
      body,
      // The platform follows none either.
      redirect: "manual",
      signal: AbortSignal.timeout(answerMsMax),
    });
    const text = await bodyOf(answer);
    const contentType = answer.headers.get("content-type") ?? "application/json";
    return { status: answer.status, contentType, body: text, tookMs: took(), problem: "" };
  } catch (error) {
    return { status: 502, contentType: "text/plain", body: "", tookMs: took(), problem: problemOf(error) };
  }
}

async function bodyOf(answer: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const piece of answer.body ?? []) {
    bytes += piece.length;
    if (bytes > answerBytesMax) throw new Error(`the answer has more than ${answerBytesMax} bytes`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${answerMsMax / 1_000} s`;
  const { cause } = error;
  if (cause instanceof Error && "code" in cause && typeof cause.code === "string") {
    return cause.code === "ECONNREFUSED" ? "nobody listens there (ECONNREFUSED)" : cause.code;
  }
  return cause instanceof Error ? cause.message : error.message;
}
