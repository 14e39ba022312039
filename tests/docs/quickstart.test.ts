import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { temporaryFolder } from "@cardwright/testing/temporary-folder";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyPorts, type Sandbox, startSandbox } from "../../scripts/sandbox/sandbox.ts";
import { clone, document, fencedBlocks } from "./documents.ts";
import { type FollowedGuide, followGuide, freePort } from "./guide-shell.ts";

/**
 * docs/guides/quickstart.md, followed line by line: its `sh` blocks run in one bash against a real sandbox, with the SDK and the
 * command line of this clone, and what the page shows behind a block is compared with what the block printed.
 */

const blocks = fencedBlocks(document("docs/guides/quickstart.md"));
const commands = blocks.filter(({ language }) => language === "sh");

let db: TestDatabase;
let sandbox: Sandbox;
let folder: string;
let guided: FollowedGuide | null = null;

beforeAll(async () => {
  db = await createTestDatabase();
  folder = await temporaryFolder("quickstart");
  sandbox = await startSandbox({
    directory: join(folder, "data"),
    databaseUrl: db.url,
    ports: anyPorts,
    freshMerchants: false,
    onSeed: () => undefined,
  });
  guided = await followGuide({ commands, values: await copiedValues(), folder, working: await readersClone() });
}, 180_000);

afterAll(async () => {
  guided?.end();
  await sandbox.stop();
  await db.drop();
  await rm(folder, { recursive: true, force: true });
});

/** What the page needs of a clone is what npm has put there; its files are written elsewhere than into this clone. */
async function readersClone(): Promise<string> {
  const working = join(folder, "reader");
  await mkdir(working);
  await symlink(join(clone, "node_modules"), join(working, "node_modules"));
  return working;
}

/** What a reader copies from the terminal of `npm start` into the page's first block. */
async function copiedValues(): Promise<ReadonlyMap<string, string>> {
  const { account } = sandbox.credit;
  return new Map([
    ["CARDWRIGHT_BASE_URL", sandbox.platform.urls.api ?? ""],
    ["CARDWRIGHT_APP_ID", account.appId],
    ["CARDWRIGHT_API_KEY", account.apiKey],
    ["CARDWRIGHT_API_SECRET", account.apiSecret],
    ["CARDWRIGHT_WEBHOOK_SECRET", account.webhookSecret ?? ""],
    ["PORT", String(await freePort())],
  ]);
}

test("the page has commands, and shows what most of them print", () => {
  expect(commands.length).toBeGreaterThan(6);
  expect(blocks.filter(({ language }) => language === "text").length).toBeGreaterThan(3);
});

test.each(commands.map(({ line, text }) => ({ line, first: text.split("\n", 1)[0] ?? "" })))(
  "the commands in line $line run to their end: $first",
  ({ line }) => {
    // The output is compared too, so that a failure shows it.
    const { finished, output } = guided?.ran.get(line) ?? { finished: false, output: "the run did not come this far" };
    expect({ finished, output }).toEqual({ finished: true, output });
  },
);

/** Blocks that are shown directly behind a command's block, with the command's line. */
const shown = blocks.flatMap((block, index) => {
  const before = blocks[index - 1];
  return block.language === "text" && before?.language === "sh" ? [{ ...block, commandLine: before.line }] : [];
});

test.each(shown)("what is shown in line $line is what the commands in line $commandLine print", (block) => {
  const output = guided?.ran.get(block.commandLine)?.output ?? "";
  expect(comparable(output)).toEqual(comparable(block.text));
});

/** Without seconds, and without the lines that stand for a progress bar where there is no terminal. */
function comparable(text: string): string {
  return text.replaceAll(/\d+\.\d s$/gmu, "_ s").replaceAll(/^playing .*\n/gmu, "");
}

test("the callback URL is that of the example merchant again", async () => {
  const { rows } = await db.pool.query<{ callback_url: string }>("SELECT callback_url FROM merchant WHERE mode = $1", [
    "CREDIT_EXTENSION",
  ]);
  expect(rows).toEqual([{ callback_url: sandbox.credit.server.callbackUrl }]);
});
