import { expect, test } from "vitest";
import { followInSandbox } from "./followed-guide.ts";

/** The first section of docs/guides/certify.md, followed line by line against the example merchant of a real sandbox. */
const followed = followInSandbox("docs/guides/certify.md", async ({ platform, authorization: { account, server } }) => {
  return new Map([
    ["CARDWRIGHT_BASE_URL", platform.urls.api ?? ""],
    ["CARDWRIGHT_APP_ID", account.appId],
    ["CARDWRIGHT_API_KEY", account.apiKey],
    ["CARDWRIGHT_API_SECRET", account.apiSecret],
    ["CARDWRIGHT_WEBHOOK_SECRET", account.webhookSecret ?? ""],
    ["MERCHANT", server.url],
  ]);
});
const { blocks } = followed;

const shown = blocks.flatMap((block, index) => {
  const before = blocks[index - 1];
  return block.language === "text" && before?.language === "sh" ? [{ ...block, commandLine: before.line }] : [];
});

test.each(shown)("what is shown in line $line is what the commands in line $commandLine print", (block) => {
  const lines = followed.outputOf(block.commandLine).trim().split("\n");
  // Progress, where there is no terminal, comes before.
  expect(lines.at(-1)).toBe(block.text.trim());
});
