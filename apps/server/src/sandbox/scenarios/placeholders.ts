/** What stands in braces in the path, the body and the expected answer of an operator's call. */

/** Known from the beginning; `run` begins every network reference, the days are those of the sandbox's clock, in UTC. */
export const builtInNames = [
  "merchant_no",
  "cardholder_no",
  "package_no",
  "card_bin_no",
  "run",
  "today",
  "yesterday",
] as const;

const inBraces = /\{([^{}]*)\}/gu;

/** The names in braces in any text of the value. */
export function namesIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [...value.matchAll(inBraces)].map(([, name = ""]) => name);
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(namesIn) : [];
}

/** The value with every name in braces replaced; whatever is no text, list or object stays as it is. */
export function filled(value: unknown, of: (name: string) => string): unknown {
  if (typeof value === "string") return value.replaceAll(inBraces, (_whole, name: string) => of(name));
  if (Array.isArray(value)) return value.map((each) => filled(each, of));
  return typeof value === "object" && value !== null ? filledFields(value, of) : value;
}

export function filledFields(fields: object, of: (name: string) => string): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, filled(value, of)]));
}
