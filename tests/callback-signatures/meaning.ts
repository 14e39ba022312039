import { isDeepStrictEqual } from "node:util";
import { rawMembersOf } from "./json-tokens.ts";

/** What a body says, read by other means than those of the verifiers: by the runtime's parser and by the tokens of the text. */
export interface Meaning {
  /** Members of `data` that are not null, as values. */
  readonly values: ReadonlyMap<string, unknown>;
  /** The same as V1 signs them: a text as it is, anything else as it stands in the body. */
  readonly texts: ReadonlyMap<string, string>;
  /** Id, action and whatever else stands beside `data`. */
  readonly beside: Readonly<Record<string, unknown>>;
}

/** Undefined for a body that no receiver may believe, whoever signed it. */
export function meaningOf(body: Uint8Array): Meaning | undefined {
  const text = decoded(body);
  const parsed = parsedObject(text);
  if (text === undefined || parsed === undefined) return undefined;
  const { data, ...beside } = parsed;
  const top = rawMembersOf(text);
  const dataText = top.find(({ key }) => key === "data")?.valueText ?? "";
  const members = rawMembersOf(dataText);
  if (!isObject(data) || hasTwice(top) || hasTwice(members)) return undefined;
  const present = members.filter(({ valueText }) => valueText !== "null");
  const values = new Map(present.map(({ key }) => [key, Reflect.get(data, key)]));
  const texts = new Map(
    present.map(({ key, valueText }) => {
      const value = values.get(key);
      return [key, typeof value === "string" ? value : valueText];
    }),
  );
  const all = [...texts].flat();
  return all.every((each) => each.isWellFormed()) ? { values, texts, beside } : undefined;
}

/** In which way two bodies that V1 signs alike say the same, from nothing changed to what V1 leaves open. */
export type Likeness =
  | "the same"
  | "id, action or another member beside data differ"
  | "a text in place of the value that is written so"
  | "a text with & and = in place of several members";

/** Undefined when V1 must not sign the two alike. */
export function likenessV1(genuine: Meaning, given: Meaning): Likeness | undefined {
  if (joined(genuine) !== joined(given)) return undefined;
  if (!isDeepStrictEqual([...genuine.texts].toSorted(byKey), [...given.texts].toSorted(byKey))) {
    return "a text with & and = in place of several members";
  }
  const isSame = [...genuine.values].every(([key, value]) => isDeepStrictEqual(value, given.values.get(key)));
  if (!isSame) return "a text in place of the value that is written so";
  return isDeepStrictEqual(genuine.beside, given.beside)
    ? "the same"
    : "id, action or another member beside data differ";
}

/** Without appId and timestamp, which are not of the body. */
function joined({ texts }: Meaning): string {
  return [...texts]
    .toSorted(byKey)
    .map(([key, text]) => `${key}=${text}`)
    .join("&");
}

/** UTF-32 would do as well; bytes of UTF-8 are in the order of code points. */
function byKey([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function hasTwice(members: readonly { readonly key: string }[]): boolean {
  return new Set(members.map(({ key }) => key)).size !== members.length;
}

/** A byte order mark is passed over here: a verifier may refuse it, and what it stands before says the same. */
function decoded(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

function parsedObject(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? "");
    return isObject(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
