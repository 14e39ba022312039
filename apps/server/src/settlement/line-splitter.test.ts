import fc from "fast-check";
import { expect, test } from "vitest";
import { createLineSplitter, type Line } from "./line-splitter.ts";

const lineBytesMax = 20;

function linesOf(bytes: Uint8Array, cuts: readonly number[]): Line[] {
  const splitter = createLineSplitter({ lineBytesMax });
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
  return [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()];
}

test("lines are the same however the bytes are cut", () => {
  const byte = fc.constantFrom(0x0a, 0x0d, 0x41, 0xef, 0xbb, 0xbf, 0x00);
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 200 }), fc.array(fc.nat(), { maxLength: 20 }), (bytes, cuts) => {
      const whole = Uint8Array.from(bytes);
      expect(linesOf(whole, cuts)).toEqual(linesOf(whole, []));
    }),
  );
});

test("a line of the longest length is kept, one byte more is told without its text, and the next is kept again", () => {
  const longest = "x".repeat(lineBytesMax);
  const text = `\uFEFF${longest}\r\n${longest}y\n${"z".repeat(1_000)}\nshort`;
  expect(linesOf(Buffer.from(text), [])).toEqual([
    { number: 1, text: longest },
    { number: 2, text: null },
    { number: 3, text: null },
    { number: 4, text: "short" },
  ]);
});
