/** A piece of a JSON text: a string with its quotes, a number, a word, or one of `{}[]:,`. */
export interface JsonToken {
  readonly text: string;
  readonly at: number;
  /** How many objects and arrays it lies in. */
  readonly depth: number;
}

/** The tokens of a text that is JSON; of another text, of as much as looks like it. */
export function jsonTokens(text: string): readonly JsonToken[] {
  const tokens: JsonToken[] = [];
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^\s{}[\]:,"]+/gu)) {
    if (token === "}" || token === "]") depth -= 1;
    tokens.push({ text: token, at: index, depth });
    if (token === "{" || token === "[") depth += 1;
  }
  return tokens;
}

/** A member of an object as it stands in the text. */
export interface RawMember {
  readonly key: string;
  readonly keyText: string;
  readonly valueText: string;
}

/**
 * The members of the object that `text` is, duplicates included. Found by looking at tokens, which is another way than that of
 * the verifiers that are tested with it.
 */
export function rawMembersOf(text: string): readonly RawMember[] {
  const tokens = jsonTokens(text);
  const ends = tokens.filter(
    ({ text: token, depth }) => (depth === 1 && token === ",") || (depth === 0 && token === "}"),
  );
  const starts = [0, ...ends.map(({ at }) => at + 1)];
  return ends.flatMap(({ at }, index) => {
    const own = tokens.filter((token) => token.at >= (starts[index] ?? 0) && token.at < at && token.depth > 0);
    const [key, colon, ...value] = own;
    const first = value[0];
    const last = value.at(-1);
    if (key === undefined || colon === undefined || first === undefined || last === undefined) return [];
    const valueText = text.slice(first.at, last.at + last.text.length);
    return [{ key: String(JSON.parse(key.text)), keyText: key.text, valueText }];
  });
}
