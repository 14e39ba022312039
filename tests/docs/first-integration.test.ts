import { expect, test } from "vitest";
import { followInSandbox } from "./followed-guide.ts";
import { freePort } from "./guide-shell.ts";

/**
 * docs/guides/first-integration.md, followed line by line; what the page shows behind a block is compared with what the block printed.
 */
const followed = followInSandbox(
  "docs/guides/first-integration.md",
  async ({ platform, desk, credit, authorization }) => {
    const { urls } = platform;
    return new Map([
      ["API", urls.api ?? ""],
      ["KYC", urls.kycSimulator ?? ""],
      ["ADMIN_TOKEN", desk.adminToken],
      ["PACKAGE_NO", credit.account.productNo],
      ["CARD_BIN_NO", authorization.account.productNo],
      ["CREDIT_PORT", String(await freePort())],
      ["AUTHORIZATION_PORT", String(await freePort())],
    ]);
  },
);
const { blocks, commands } = followed;

test("the page has commands, and shows what most of them print", () => {
  expect(commands.length).toBeGreaterThan(10);
  expect(blocks.filter(({ language }) => language === "text" || language === "json").length).toBeGreaterThan(8);
});

/** Blocks that are shown directly behind a command's block, with the command's line. */
const shown = blocks.flatMap((block, index) => {
  const before = blocks[index - 1];
  return block.language === "sh" || before?.language !== "sh" ? [] : [{ ...block, commandLine: before.line }];
});

test.each(shown)("what is shown in line $line is what the commands in line $commandLine print", (block) => {
  const output = followed.outputOf(block.commandLine);
  const isJson = block.language === "json";
  expect(isJson ? formOf(JSON.parse(output)) : output).toEqual(isJson ? formOf(JSON.parse(block.text)) : block.text);
});

/** Fields whose value matters, beside their being there: what was decided, and amounts that the page explains. */
const exact = /^(?:code|msg|approved|response_code|reason|repeat|status|type|.*_unique_no|.*_balance)$/u;

function formOf(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) {
    return value.map((each) => formOf(each));
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, formOf(member, key)]));
  }
  return exact.test(name) ? value : typeof value;
}

test("the purchases of the page are approved in both modes, and the ledger knows them", async () => {
  const { rows } = await followed.database().pool.query<{ mode: string; status: string; amount: bigint }>(
    `SELECT m.mode, p.status, p.amount FROM consumption p JOIN merchant m USING (merchant_id)
     WHERE p.stage = 'held' ORDER BY m.mode`,
  );
  expect(rows).toEqual([
    { mode: "AUTHORIZATION", status: "Pending", amount: 2_500n },
    { mode: "CREDIT_EXTENSION", status: "Pending", amount: 2_500n },
  ]);
});
