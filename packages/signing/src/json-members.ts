/** One member of a JSON object: its decoded key and the value exactly as it stands in the text. */
export interface JsonMember {
  readonly key: string;
  readonly rawValue: string;
}

export type JsonMembersRefusal = "too_large" | "not_json" | "not_an_object" | "duplicate_key" | "not_well_formed";
export type JsonMembersResult =
  | { readonly ok: true; readonly value: readonly JsonMember[] }
  | { readonly ok: false; readonly reason: JsonMembersRefusal };

/**
 * UTF-16 units. A callback has a few hundred; the worst text of this size, 60,000 short members, takes 80 ms to sign.
 */
const textLengthMax = 1_048_576;

/**
 * Cuts the top-level members out of the text of a JSON object without writing anything again: numbers keep their zeros,
 * nested values their blanks and key order. Only the blanks between the top-level tokens are dropped. A key that occurs
 * twice is refused, since readers differ in which of the two they believe.
 */
export function jsonMembers(text: string): JsonMembersResult {
  if (text.length > textLengthMax) return { ok: false, reason: "too_large" };
  const grammar = kindOfJson(text);
  if (grammar !== "object") return { ok: false, reason: grammar };
  return wellFormedOnce(cutMembers(text));
}

/** The whole grammar is left to the runtime's parser, so that the cutting below meets valid JSON only. */
function kindOfJson(text: string): "object" | "not_an_object" | "not_json" {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? "object" : "not_an_object";
  } catch {
    return "not_json";
  }
}

function wellFormedOnce(members: readonly JsonMember[]): JsonMembersResult {
  const keys = new Set<string>();
  for (const { key, rawValue } of members) {
    if (keys.has(key)) return { ok: false, reason: "duplicate_key" };
    // Half a surrogate pair has no UTF-8 form: two different texts would be signed alike.
    if (!key.isWellFormed() || !rawValue.isWellFormed()) return { ok: false, reason: "not_well_formed" };
    keys.add(key);
  }
  return { ok: true, value: members };
}

function cutMembers(text: string): JsonMember[] {
  const members: JsonMember[] = [];
  let at = skipBlanks(text, text.indexOf("{") + 1);
  while (text.charCodeAt(at) === quote) {
    const keyEnd = endOfString(text, at);
    const colon = skipBlanks(text, keyEnd);
    const valueStart = skipBlanks(text, colon + 1);
    const valueEnd = endOfValue(text, valueStart);
    members.push({ key: decodeString(text.slice(at, keyEnd)), rawValue: text.slice(valueStart, valueEnd) });
    const separator = skipBlanks(text, valueEnd);
    at = skipBlanks(text, separator + 1);
  }
  return members;
}

/** The text that a JSON string with its quotes, cut from valid JSON, stands for. Nearly always what stands between them. */
export function decodeString(raw: string): string {
  if (raw.charCodeAt(0) === quote && !raw.includes("\\")) return raw.slice(1, -1);
  const value: unknown = JSON.parse(raw);
  if (typeof value !== "string") throw new TypeError("not the text of a JSON string");
  return value;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text.charCodeAt(at))) at += 1;
  return at;
}

/** Codes are compared, not characters: cutting a callback takes 4 µs instead of 10. */
const [blank, newline, carriageReturn, tab] = [0x20, 0x0a, 0x0d, 0x09];
const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

function isBlank(code: number): boolean {
  return code === blank || code === newline || code === carriageReturn || code === tab;
}

/** Index after the closing quote of the string that opens at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  for (let code = text.charCodeAt(at); at < text.length && code !== quote; code = text.charCodeAt(at)) {
    at += code === backslash ? 2 : 1;
  }
  return at + 1;
}

function endOfValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === quote) return endOfString(text, from);
  return first === openBrace || first === openBracket ? endOfNested(text, from) : endOfScalar(text, from);
}

/**
 * Index after the bracket that closes the one at `from`. In valid JSON brackets pair up, so their kind need not be told
 * apart.
 */
function endOfNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    const code = text.charCodeAt(at);
    if (code === quote) {
      at = endOfString(text, at);
      continue;
    }
    if (code === openBrace || code === openBracket) depth += 1;
    if (code === closeBrace || code === closeBracket) depth -= 1;
    at += 1;
  } while (depth > 0 && at < text.length);
  return at;
}

/** Index after a number, `true`, `false` or `null`. */
function endOfScalar(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); at < text.length && code !== comma && code !== closeBrace; ) {
    if (isBlank(code)) break;
    at += 1;
    code = text.charCodeAt(at);
  }
  return at;
}
