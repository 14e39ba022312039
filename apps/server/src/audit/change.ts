import { type AuditDetail, canonicalJson } from "./canonical-json.ts";

/** The members that differ, as they were and as they are; null when nothing changed and there is nothing to write down. */
export function changeDetail(state: { readonly before: AuditDetail; readonly after: AuditDetail }): AuditDetail | null {
  const { before, after } = state;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => canonicalJson(before[key] ?? null) !== canonicalJson(after[key] ?? null),
  );
  if (keys.length === 0) return null;
  const pick = (from: AuditDetail): AuditDetail => Object.fromEntries(keys.map((key) => [key, from[key] ?? null]));
  return { before: pick(before), after: pick(after) };
}
