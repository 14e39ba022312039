import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { certify, type SkipReason, withChecksTable } from "@cardwright/certify";
import { expect, test } from "vitest";
import { capOf } from "../../packages/certify/src/grade.ts";
import { credentials, startSmallMerchant } from "../../packages/certify/test/small-merchant.ts";
import { clone, document, fencedBlocks } from "./documents.ts";

const guide = document("docs/guides/certify.md");
const block = (language: string): string => fencedBlocks(guide).find((each) => each.language === language)?.text ?? "";

test("the guide's table of checks is what the code makes", () => {
  expect(guide).toBe(withChecksTable(guide));
});

test("each weight stands in the row of the grade that it lowers to", () => {
  const rows = new Map(
    [...guide.matchAll(/^\| (?<grade>[A-F]) +\| (?<when>.+)$/gmu)].map((row) => [row[1], row[2] ?? ""]),
  );
  const misplaced = Object.entries(capOf).filter(
    ([weight, grade]) => rows.get(grade)?.includes(`\`${weight}\``) !== true,
  );
  expect([rows.size, misplaced]).toEqual([5, []]);
});

test("the guide explains every reason for a skip", () => {
  const reasons: Readonly<Record<SkipReason, true>> = {
    mode: true,
    choice: true,
    need: true,
    nothing_to_judge: true,
    time: true,
    busy: true,
  };
  const section = guide.slice(guide.indexOf("| `skipped`"), guide.indexOf("```json"));
  const told = [...section.matchAll(/^\| `([a-z_]+)` /gmu)]
    .map(([, name = ""]) => name)
    .filter((name) => name !== "skipped");
  expect(told.toSorted()).toEqual(Object.keys(reasons).toSorted());
});

/** Keys of objects at all depths; of a list those of its first item. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.length === 0 ? [] : [shapeOf(value[0])];
  }
  return typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]))
    : typeof value;
}

test("the guide's JSON has exactly the keys of a report", async () => {
  const merchant = await startSmallMerchant("none");
  try {
    const only = ["connection.reachable", "load.burst"];
    const pace = { burstQuestions: 4 };
    const report = await certify({
      ...credentials,
      url: merchant.url,
      mode: "AUTHORIZATION",
      deadlineMs: 5_000,
      only,
      pace,
    });
    const example: unknown = JSON.parse(block("json"));
    const { skipped: _, ...check } = { ...report.checks[0] };
    expect(shapeOf(example)).toEqual(shapeOf({ ...report, checks: [{ ...check, skipped: null }] }));
  } finally {
    await merchant.close();
  }
}, 60_000);

test("the guide's program runs as it is written, and writes the page", async () => {
  const merchant = await startSmallMerchant("none");
  const folder = mkdtempSync(join(tmpdir(), "certify-guide-"));
  try {
    const page = join(folder, "certify.html");
    const program = block("ts").replace('"certify.html"', JSON.stringify(page));
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      ["--input-type=module-typescript", "--eval", program],
      {
        cwd: join(clone, "packages/certify"),
        timeout: 60_000,
        env: {
          ...process.env,
          CALLBACK_URL: merchant.url,
          APP_ID: credentials.appId,
          CARDWRIGHT_API_SECRET: credentials.apiSecret,
          CARD_NO: credentials.cardNo,
          CARDHOLDER_NO: credentials.cardholderNo,
        },
      },
    );
    expect(stdout).toContain("Grade A   2 passed, 0 failed");
    expect(stderr).toMatch(/\d+\/\d+ Refuses a wrong signature/u);
    expect(readFileSync(page, "utf8")).toContain("<!doctype html>");
  } finally {
    await merchant.close();
    rmSync(folder, { recursive: true });
  }
}, 90_000);
