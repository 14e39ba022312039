import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Columns that a text takes in a terminal: a Chinese character takes two. */
export const widthOf = (text: string): number => stringWidth(text);

/**
 * A text from outside on one line: names of shops and answers of servers must not move the cursor or change colours.
 */
export const onOneLine = (text: string): string =>
  stripVTControlCharacters(text)
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, " ")
    .trim();

/** At most so many columns; a longer text ends in `…`. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) {
    return text;
  }
  let kept = "";
  let used = 1;
  for (const { segment } of segmenter.segment(text)) {
    used += widthOf(segment);
    if (used > columns) break;
    kept += segment;
  }
  return `${kept}…`;
}

export const padTo = (text: string, columns: number): string => text + " ".repeat(Math.max(0, columns - widthOf(text)));
export const padLeftTo = (text: string, columns: number): string =>
  " ".repeat(Math.max(0, columns - widthOf(text))) + text;
