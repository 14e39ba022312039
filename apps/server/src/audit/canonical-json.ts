/** What an audit detail may hold: JSON with exact numbers only. */
export type AuditValue = string | number | boolean | null | readonly AuditValue[] | AuditDetail;
export interface AuditDetail {
  readonly [key: string]: AuditValue;
}

/** Deeper than this is a mistake of the caller: a detail is a flat list of facts or a before and an after. */
const depthMax = 8;

/**
 * The one text of a value: compact, keys in code-unit order, lone surrogates escaped (as `JSON.stringify` does). Throws for
 * numbers that are not whole, because other languages would print them differently and could not verify the chain.
 */
export function canonicalJson(value: AuditValue, depth = 0): string {
  if (depth > depthMax) throw new RangeError("an audit detail is nested too deeply");
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new RangeError("a number in an audit detail is not a whole number");
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (isList(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(",")}]`;
  const members = Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1));
  return `{${members.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item, depth + 1)}`).join(",")}}`;
}

function isList(value: readonly AuditValue[] | AuditDetail): value is readonly AuditValue[] {
  return Array.isArray(value);
}
