/**
 * Arrays as Postgres reads them, made by us and not by `pg`: that one escapes every element with two regular expressions,
 * numbers included, which was a quarter of what this process computed for a decision.
 */

/** For values that need no quotes: numbers, booleans, UUIDs, our own public numbers. Never for a text from outside. */
export function plainArray(values: readonly (number | bigint | boolean | string)[]): string {
  return `{${values.join(",")}}`;
}

const special = /["\\]/u;
const allSpecial = /["\\]/gu;

/** For any text or none. */
export function nullableTextArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? "NULL" : `"${escaped(value)}"`)).join(",")}}`;
}

const escaped = (text: string): string => (special.test(text) ? text.replaceAll(allSpecial, "\\$&") : text);

/** A part of a record: NULL, or what needs no quotes (as in `plainArray`), or a text that `textField` has quoted. */
export type RecordField = number | bigint | boolean | string | null;

/** For any text in a record: quoted as a part of it and, because the record is an element of an array, once more. */
export function textField(text: string): string {
  return special.test(text) ? escaped(`"${escaped(text)}"`) : `\\"${text}\\"`;
}

/** An array of records, for values of a composite type; see `textField` for texts. */
export function recordArray(records: readonly (readonly RecordField[])[]): string {
  // What is null becomes nothing, which in a record is NULL.
  return records.length === 0 ? "{}" : `{"(${records.map((fields) => fields.join(",")).join(')","(')})"}`;
}

const separator = "\u001f";

/**
 * For texts without control characters, as JSON.stringify makes them: joined by one of those instead of quoted, because the quotes that
 * JSON is full of would each be escaped here and unescaped there. To be read with `separatedArrayOf`; a single empty one comes out as none.
 */
export function separated(values: readonly string[]): string {
  return values.join(separator);
}

/** The SQL that makes a text[] of what `separated` made. */
export const separatedArrayOf = (parameter: string): string => `string_to_array(${parameter}, E'\\x1f')`;
