/** The top-level keys of a JSON object, each with the raw text of its value. */
export type RawMembers = ReadonlyMap<string, string>;

/**
 * Splits a JSON object into its top-level members without changing a character of their values: signatures and amounts
 * are about the text that was sent, which a parser that makes numbers of it would not give back in every language.
 * Answers undefined for anything that is not one JSON object with distinct keys.
 */
export function rawMembers(json: string): RawMembers | undefined {
  if (!isJsonObject(json)) return undefined;
  const members = new Map<string, string>();
  let depth = 0;
  let from = 0;
  let key: string | undefined;
  // The text is known to be JSON, so looking at whole strings and at the six structural characters is enough.
  for (const { 0: token, index } of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gu)) {
    if (token === "{" || token === "[") {
      depth += 1;
      if (depth === 1) from = index + 1;
    } else if (depth === 1 && token === ":") {
      key = stringOf(json.slice(from, index));
      from = index + 1;
    } else if (token === "}" || token === "]" || (depth === 1 && token === ",")) {
      if (depth === 1 && key !== undefined) {
        if (members.has(key)) return undefined;
        members.set(key, json.slice(from, index).trim());
        key = undefined;
        from = index + 1;
      }
      if (token !== ",") depth -= 1;
    }
  }
  return members;
}

/** The string that a raw JSON text stands for; undefined when it is missing or another kind of value. */
export function stringOf(raw: string | undefined): string | undefined {
  const value: unknown = raw?.trimStart().startsWith('"') ? JSON.parse(raw) : undefined;
  return typeof value === "string" ? value : undefined;
}

function isJsonObject(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}
