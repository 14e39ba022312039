import { readFile } from "node:fs/promises";
import { DECLINES, isDeclineReason, MERCHANT_REASONS } from "@cardwright/contract";
import { expect, test } from "vitest";

const page = await readFile(new URL("../../docs/reference/authorization.md", import.meta.url), "utf8");
const reasonsTable = page.slice(page.indexOf("## Reasons"));

/** Rows of the table as [reason, text of its last column]. */
const rows = reasonsTable
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .flatMap((line) => {
    const cells = line.split("|").map((cell) => cell.trim());
    const codes = cells[3] ?? "";
    return [...(cells[1] ?? "").matchAll(/`([a-z_]+)`/gu)].map((match) => [match[1] ?? "", codes] as const);
  });

test("the page on authorizations explains every decline reason, each once", () => {
  expect(rows.map(([reason]) => reason).toSorted()).toEqual(Object.keys(DECLINES).toSorted());
});

test("the page shows each reason's code of field 39 as the network is told it", () => {
  const wrong = rows.filter(
    ([reason, codes]) => !isDeclineReason(reason) || !codes.includes(DECLINES[reason].responseCode),
  );
  expect(wrong).toEqual([]);
});

test("the page names every reason that a merchant may give, with its code", () => {
  const last = page.slice(page.indexOf("A merchant's own reasons"));
  for (const [reason, code] of Object.entries(MERCHANT_REASONS)) {
    expect(last).toContain(`\`${reason}\``);
    expect(last).toContain(code);
  }
});
