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
  while (text[at] === '"') {
    const keyEnd = endOfString(text, at);
    const colon = skipBlanks(text, keyEnd);
    const valueStart = skipBlanks(text, colon + 1);
    const valueEnd = endOfValue(text, valueStart);
    members.push({ key: decodeString(text.slice(at, keyEnd)), rawValue: text.slice(valueStart, valueEnd) });
    const comma = skipBlanks(text, valueEnd);
    at = skipBlanks(text, comma + 1);
  }
  return members;
}

/** The text that a JSON string with its quotes stands for. */
export function decodeString(raw: string): string {
  const value: unknown = JSON.parse(raw);
  if (typeof value !== "string") throw new TypeError("not the text of a JSON string");
  return value;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (isBlank(text[at])) at += 1;
  return at;
}

function isBlank(character: string | undefined): boolean {
  return character === " " || character === "\n" || character === "\r" || character === "\t";
}

/** Index after the closing quote of the string that opens at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function endOfValue(text: string, from: number): number {
  const first = text[from];
  if (first === '"') return endOfString(text, from);
  return first === "{" || first === "[" ? endOfNested(text, from) : endOfScalar(text, from);
}

/**
 * Index after the bracket that closes the one at `from`. In valid JSON brackets pair up, so their kind need not be told
 * apart.
 */
function endOfNested(text: string, from: number): number {
  let depth = 0;
  let at = from;
  do {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (character === "{" || character === "[") depth += 1;
    if (character === "}" || character === "]") depth -= 1;
    at += 1;
  } while (depth > 0 && at < text.length);
  return at;
}

/** Index after a number, `true`, `false` or `null`. */
function endOfScalar(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== "," && text[at] !== "}" && !isBlank(text[at])) at += 1;
  return at;
}
