import { expect, test } from "vitest";
import { isAcceptablePin } from "./pin.ts";

test("of all million PINs exactly those without three identical or sequential digits in a row are acceptable", () => {
  const ups = Array.from({ length: 8 }, (_, n) => `${n}${n + 1}${n + 2}`);
  const downs = ups.map((run) => Array.from(run).toReversed().join(""));
  const same = Array.from({ length: 10 }, (_, n) => String(n).repeat(3));
  const forbidden = [...ups, ...downs, ...same];
  const judgedWrongly: string[] = [];
  for (let n = 0; n < 1_000_000; n += 1) {
    const pin = String(n).padStart(6, "0");
    if (isAcceptablePin(pin) === forbidden.some((run) => pin.includes(run))) judgedWrongly.push(pin);
  }
  expect(judgedWrongly).toEqual([]);
});

test("anything but six ASCII digits is not acceptable", () => {
  const texts = ["", "13579", "1357913", "13579a", " 13579", "135791\n", "１３５７９１", "-13579", "1357.9"];
  expect(texts.filter(isAcceptablePin)).toEqual([]);
  expect(isAcceptablePin("135791")).toBe(true);
});

test("9 and 0 are not neighbours", () => {
  expect(["890357", "109357", "901357"].map(isAcceptablePin)).toEqual([true, true, true]);
});
