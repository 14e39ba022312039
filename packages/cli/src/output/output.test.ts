import { expect, test } from "vitest";
import { recordText, tableText } from "./table.ts";
import { fit, onOneLine, widthOf } from "./width.ts";

const title = (text: string): string => text;
const red = (text: string): string => `<${text}>`;
const columns = [{ title: "no" }, { title: "name", shrinkTo: 6 }, { title: "amount", align: "right" as const }];
const rows = [
  ["C1", "Corner Bookshop at the Harbour", "7.00"],
  ["C22", { text: "日常卡片商店", paint: red }, "1200.00"],
];

test("columns line up, also with Chinese names, and amounts stand at the right", () => {
  expect(tableText({ columns, rows }, { width: null, title }).split("\n")).toEqual([
    "no   name                             amount",
    "C1   Corner Bookshop at the Harbour     7.00",
    "C22  <日常卡片商店>                    1200.00",
    "",
  ]);
});

test("on a narrow terminal what may shrink is cut, and no line is wider than it", () => {
  const lines = tableText({ columns, rows }, { width: 24, title }).trimEnd().split("\n");
  expect(lines[1]).toBe("C1   Corner Bo…     7.00");
  for (const line of lines) expect(widthOf(line.replaceAll(/[<>]/gu, ""))).toBeLessThanOrEqual(24);
});

test("numbers of things are never cut, however narrow the terminal is", () => {
  const lines = tableText({ columns, rows }, { width: 8, title }).split("\n");
  expect(lines[1]).toMatch(/^C1 .* 7\.00$/u);
  expect(lines[2]).toMatch(/^C22 .* 1200\.00$/u);
});

test("a text from outside cannot move the cursor, change colours or turn the line round", () => {
  expect(onOneLine("Shop\u001b[31m red\r\n\u0007bell\u202Eabc\u2028x")).toBe("Shop red bell abc x");
});

test("a text is cut between characters, never within one", () => {
  expect(fit("日常卡", 4)).toBe("日…");
  expect(fit("👩‍👩‍👧 family", 4)).toBe("👩‍👩‍👧 …");
  expect(fit("short", 5)).toBe("short");
});

test("a record has its values in one column", () => {
  expect(
    recordText(
      [
        ["a", "1"],
        ["long_name", { text: "x", paint: red }],
      ],
      { title },
    ),
  ).toBe("a          1\nlong_name  <x>\n");
});
