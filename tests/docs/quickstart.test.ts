import { expect, test } from "vitest";
import { followInSandbox } from "./followed-guide.ts";
import { freePort } from "./guide-shell.ts";

/**
 * docs/guides/quickstart.md, followed line by line with the SDK and the command line of this clone; what the page shows behind a block is
 * compared with what the block printed.
 */
const followed = followInSandbox("docs/guides/quickstart.md", async ({ platform, credit: { account } }) => {
  return new Map([
    ["CARDWRIGHT_BASE_URL", platform.urls.api ?? ""],
    ["CARDWRIGHT_APP_ID", account.appId],
    ["CARDWRIGHT_API_KEY", account.apiKey],
    ["CARDWRIGHT_API_SECRET", account.apiSecret],
    ["CARDWRIGHT_WEBHOOK_SECRET", account.webhookSecret ?? ""],
    ["PORT", String(await freePort())],
  ]);
});
const { blocks, commands } = followed;

test("the page has commands, and shows what most of them print", () => {
  expect(commands.length).toBeGreaterThan(6);
  expect(blocks.filter(({ language }) => language === "text").length).toBeGreaterThan(3);
});

/** Blocks that are shown directly behind a command's block, with the command's line. */
const shown = blocks.flatMap((block, index) => {
  const before = blocks[index - 1];
  return block.language === "text" && before?.language === "sh" ? [{ ...block, commandLine: before.line }] : [];
});

test.each(shown)("what is shown in line $line is what the commands in line $commandLine print", (block) => {
  const output = followed.outputOf(block.commandLine);
  expect(comparable(output)).toEqual(comparable(block.text));
});

/** Without seconds, and without the lines that stand for a progress bar where there is no terminal. */
function comparable(text: string): string {
  return text.replaceAll(/\d+\.\d s$/gmu, "_ s").replaceAll(/^playing .*\n/gmu, "");
}

test("the callback URL is that of the example merchant again", async () => {
  const { rows } = await followed
    .database()
    .pool.query<{ callback_url: string }>("SELECT callback_url FROM merchant WHERE mode = $1", ["CREDIT_EXTENSION"]);
  expect(rows).toEqual([{ callback_url: followed.sandbox().credit.server.callbackUrl }]);
});
