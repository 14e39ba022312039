/** Strict reading of a JSON body (contract section 9, "Parsing"). */

/** Deeper nesting than this has no use in the contract, whose deepest body has two levels. */
export const JSON_DEPTH_MAX = 32;

export type JsonBodyResult =
  | { readonly ok: true; readonly value: unknown }
  /** `field` names the place by its dotted path where there is one that can be repeated safely in a message. */
  | { readonly ok: false; readonly field?: string };

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a body as JSON and refuses (1004) what `JSON.parse` would let through: invalid UTF-8, duplicate keys at any
 * level, nesting beyond 32, and texts that Postgres cannot store (NUL, lone surrogates). A key `__proto__` is plain data.
 * An empty body is refused, a byte order mark ignored. The caller bounds the size (65,536 bytes).
 */
export function parseJsonBody(bytes: Uint8Array): JsonBodyResult {
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    return { ok: false };
  }
  const trouble = findTrouble(text);
  if (trouble === null) return { ok: true, value };
  return isRepeatable(trouble.path) ? { ok: false, field: trouble.path } : { ok: false };
}

/** An open object or array while scanning. Arrays have no keys, and no part in the path. */
interface Frame {
  readonly keys: Set<string> | null;
  path: string;
  readonly parentPath: string;
  expectsKey: boolean;
}

interface Trouble {
  readonly path: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const OPEN_ARRAY = 0x5b;
const CLOSE_OBJECT = 0x7d;
const CLOSE_ARRAY = 0x5d;

/** One pass over text that is known to be valid JSON, so that only strings and brackets matter. */
function findTrouble(text: string): Trouble | null {
  const frames: Frame[] = [];
  let frame: Frame | undefined;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        const trouble = troubleOfString(text.slice(at, end + 1), frame);
        if (trouble !== null) return trouble;
        at = end;
        break;
      }
      case OPEN_OBJECT:
      case OPEN_ARRAY: {
        const isObject = text.charCodeAt(at) === OPEN_OBJECT;
        const path = frame?.path ?? "";
        frame = { keys: isObject ? new Set() : null, path, parentPath: path, expectsKey: isObject };
        frames.push(frame);
        if (frames.length > JSON_DEPTH_MAX) return { path };
        break;
      }
      case CLOSE_OBJECT:
      case CLOSE_ARRAY:
        frames.pop();
        frame = frames.at(-1);
        break;
      case COMMA:
        if (frame !== undefined) frame.expectsKey = frame.keys !== null;
        break;
      default:
    }
  }
  return null;
}

/** `start` is at the opening quote; the result is the closing one. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at;
}

function troubleOfString(quoted: string, frame: Frame | undefined): Trouble | null {
  // A string without escapes is well formed already: its bytes were valid UTF-8, and JSON permits no raw NUL.
  const content = quoted.includes("\\") ? decoded(quoted) : quoted.slice(1, -1);
  const storable = content.isWellFormed() && !content.includes("\0");
  if (frame?.expectsKey !== true || frame.keys === null) return storable ? null : { path: frame?.path ?? "" };

  frame.path = frame.parentPath === "" ? content : `${frame.parentPath}.${content}`;
  frame.expectsKey = false;
  if (!storable || frame.keys.has(content)) return { path: frame.path };
  frame.keys.add(content);
  return null;
}

function decoded(quoted: string): string {
  const content: unknown = JSON.parse(quoted);
  if (typeof content !== "string") throw new Error("a quoted text decodes to a string");
  return content;
}

/** A path goes into a message only if it looks like the contract's own: never whatever text a caller sent. */
function isRepeatable(path: string): boolean {
  return /^[A-Za-z0-9_]{1,64}(?:\.[A-Za-z0-9_]{1,64}){0,3}$/.test(path);
}
