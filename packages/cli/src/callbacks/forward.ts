import { request } from "undici";
import { onOneLine } from "../output/width.ts";
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

/**
 * Gives a callback to a local server with all its headers, byte for byte, and none of our own. Never throws: a server that is away is
 * an answer too. Not `fetch`, which adds headers and refuses some ports.
 */
export async function forward(url: string, { headers, body }: ReceivedCallback): Promise<Forwarded> {
  const startedMs = performance.now();
  const took = (): number => performance.now() - startedMs;
  try {
    const answer = await request(url, {
      method: "POST",
      headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !connectionHeaders.has(name))),
      body,
      signal: AbortSignal.timeout(answerMsMax),
    });
    const text = await textOf(answer.body);
    const contentType = answer.headers["content-type"];
    return {
      status: answer.statusCode,
      contentType: typeof contentType === "string" ? contentType : "",
      body: text,
      tookMs: took(),
      problem: "",
    };
  } catch (error) {
    return { status: 502, contentType: "text/plain", body: "", tookMs: took(), problem: problemOf(error) };
  }
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.length;
    if (bytes > answerBytesMax) throw new Error(`the answer has more than ${answerBytesMax} bytes`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

function problemOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `no answer within ${answerMsMax / 1_000} s`;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "ECONNREFUSED") return "nobody listens there (ECONNREFUSED)";
  return code === "" ? error.message : `${onOneLine(error.message)} (${code})`;
}
