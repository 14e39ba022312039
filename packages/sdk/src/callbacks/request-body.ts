import { CardwrightError, SignatureError } from "../errors.ts";
import type { CallbackRequest, HeaderSource } from "./types.ts";

/** The text of a header in any of the usual forms of headers, or undefined. */
export function headerOf(headers: HeaderSource, name: string): string | undefined {
  if (hasGetter(headers)) return headers.get(name) ?? undefined;
  const wanted = name.toLowerCase();
  const entry = Object.entries(headers).find(([key]) => key.toLowerCase() === wanted);
  const value: unknown = entry?.[1];
  return Array.isArray(value) ? value.join(", ") : typeof value === "string" ? value : undefined;
}

function hasGetter(headers: HeaderSource): headers is { get(name: string): string | null } {
  return "get" in headers && typeof headers.get === "function";
}

/**
 * The body's bytes, exactly as they came. Throws a SignatureError for more than `bytesMax`, and a CardwrightError when somebody
 * has read or parsed the body already: what a parser makes of it cannot be verified.
 */
export async function bodyBytesOf(request: CallbackRequest, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const body: unknown = "body" in request ? request.body : undefined;
  if (typeof body === "string") return wholeText(body, bytesMax);
  if (body instanceof Uint8Array) return wholeBytes(body, bytesMax);
  if (isWebStream(body)) return await drained(webChunks(body), bytesMax);
  if (body !== undefined && body !== null) throw new CardwrightError(parsedAlready);
  if (!(Symbol.asyncIterator in request)) return new Uint8Array(0);
  if ("readableDidRead" in request && request.readableDidRead === true) throw new CardwrightError(readAlready);
  return await drained(request[Symbol.asyncIterator](), bytesMax);
}

const parsedAlready =
  "the callback's body was parsed before it was verified: mount the callback route before the JSON parser, or give it the raw bytes";
const readAlready = "the callback's body was read before it was verified: hand it over with its bytes as `body`";

function wholeText(text: string, bytesMax: number): Uint8Array<ArrayBuffer> {
  // Half a surrogate pair has no UTF-8 form: its bytes would be those of another text.
  if (!text.isWellFormed()) throw new SignatureError("body_not_utf8");
  return wholeBytes(new TextEncoder().encode(text), bytesMax);
}

function wholeBytes(bytes: Uint8Array, bytesMax: number): Uint8Array<ArrayBuffer> {
  if (bytes.byteLength > bytesMax) throw new SignatureError("body_too_large");
  return new Uint8Array(bytes);
}

function isWebStream(body: unknown): body is ReadableStream<Uint8Array> {
  return typeof body === "object" && body !== null && "getReader" in body && typeof body.getReader === "function";
}

function webChunks(stream: ReadableStream<Uint8Array>): AsyncIterator<Uint8Array | string> {
  if (stream.locked) throw new CardwrightError(readAlready);
  const reader = stream.getReader();
  return {
    next: async () => {
      const { done, value } = await reader.read();
      return done ? { done: true, value: undefined } : { done: false, value };
    },
  };
}

/** Ends without closing the source when the body is too long: a request that is cut off cannot be answered any more. */
async function drained(chunks: AsyncIterator<Uint8Array | string>, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const kept: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const next = await chunks.next();
    if (next.done === true) break;
    const chunk = typeof next.value === "string" ? new TextEncoder().encode(next.value) : next.value;
    length += chunk.byteLength;
    if (length > bytesMax) throw new SignatureError("body_too_large");
    kept.push(chunk);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const chunk of kept) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** Strict: bytes that are no UTF-8 are refused, and a byte order mark stays where it is, which no JSON begins with. */
export function strictText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new SignatureError("body_not_utf8");
  }
}
