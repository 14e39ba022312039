import { expect, test } from "vitest";
import { newMasterKey, parseMasterKeys } from "./master-keys.ts";

test("the first entry is the current key and the others follow", () => {
  const [older, newer] = [newMasterKey("2025"), newMasterKey("2026-a_B")];
  const keys = parseMasterKeys(`${newer}, ${older}`);
  expect(keys.map((key) => key.id)).toEqual(["2026-a_B", "2025"]);
  expect(keys.map((key) => `${key.id}:${key.bytes.toString("base64")}`)).toEqual([newer, older]);
});

test("two new keys are different", () => {
  expect(newMasterKey("a")).not.toBe(newMasterKey("a"));
});

test("a value that cannot be read is refused with the entry's place and without its content", () => {
  const good = newMasterKey("a");
  const secretPart = "c2VjcmV0c2VjcmV0c2VjcmV0";
  for (const [text, sentence] of [
    ["", "entry 1"],
    [`${good},`, "entry 2"],
    [`${good},b:${secretPart}`, "entry 2"],
    [good.slice(2), "entry 1"],
    [`a b:${good.slice(2)}`, "entry 1"],
    [`a:${"A".repeat(42)}B=`, "entry 1"],
    [`${good},${good}`, "same id twice"],
    [Array.from({ length: 17 }, (_, place) => newMasterKey(String(place))).join(","), "more than 16"],
  ] as const) {
    expect(() => parseMasterKeys(text)).toThrow(sentence);
    expect(() => parseMasterKeys(text)).not.toThrow(secretPart);
  }
});
