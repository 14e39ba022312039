import { decodeString, jsonMembers } from "./json-members.ts";

/** The parts of a callback's body (contract section 6). */
export interface CallbackBody {
  /** The push id as a text, whether it was written as a string or as a number. */
  readonly id: string;
  readonly action: string;
  /** The text of `data` exactly as it stands in the body: what a V1 signature is made from. */
  readonly dataText: string;
}

export type CallbackBodyRefusal =
  | "too_large"
  | "not_json"
  | "not_an_object"
  | "duplicate_key"
  | "not_well_formed"
  | "id_invalid"
  | "action_invalid"
  | "data_invalid";

export type CallbackBodyResult =
  | { readonly ok: true; readonly value: CallbackBody }
  | { readonly ok: false; readonly reason: CallbackBodyRefusal };

/**
 * Takes a callback's body apart without writing `data` again. Top-level keys it does not know are passed over; a
 * missing or mistyped `id`, `action` or `data` is refused, and so is any top-level key that occurs twice.
 */
export function splitCallbackBody(bodyText: string): CallbackBodyResult {
  const members = jsonMembers(bodyText);
  if (!members.ok) return members;
  const rawValues = new Map(members.value.map(({ key, rawValue }) => [key, rawValue]));
  const id = textOrNumber(rawValues.get("id"));
  if (id === undefined) return { ok: false, reason: "id_invalid" };
  const action = nonEmptyText(rawValues.get("action"));
  if (action === undefined) return { ok: false, reason: "action_invalid" };
  const dataText = rawValues.get("data");
  if (dataText === undefined || !dataText.startsWith("{")) return { ok: false, reason: "data_invalid" };
  return { ok: true, value: { id, action, dataText } };
}

function nonEmptyText(rawValue: string | undefined): string | undefined {
  if (rawValue === undefined || !rawValue.startsWith('"')) return undefined;
  return decodeString(rawValue) || undefined;
}

function textOrNumber(rawValue: string | undefined): string | undefined {
  return rawValue !== undefined && /^[-\d]/.test(rawValue) ? rawValue : nonEmptyText(rawValue);
}
