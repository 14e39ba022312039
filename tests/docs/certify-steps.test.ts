import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { temporaryFolder } from "@cardwright/testing/temporary-folder";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyPorts, type Sandbox, startSandbox } from "../../scripts/sandbox/sandbox.ts";
import { clone, document, fencedBlocks } from "./documents.ts";
import { type FollowedGuide, followGuide } from "./guide-shell.ts";

/** The first section of docs/guides/certify.md, followed line by line against the example merchant of a real sandbox. */

const blocks = fencedBlocks(document("docs/guides/certify.md"));
const commands = blocks.filter(({ language }) => language === "sh");

let db: TestDatabase;
let sandbox: Sandbox;
let folder: string;
let guided: FollowedGuide | null = null;

beforeAll(async () => {
  db = await createTestDatabase();
  folder = await temporaryFolder("certify-steps");
  sandbox = await startSandbox({
    directory: join(folder, "data"),
    databaseUrl: db.url,
    ports: anyPorts,
    freshMerchants: false,
    onSeed: () => undefined,
  });
  const working = join(folder, "reader");
  await mkdir(working);
  await symlink(join(clone, "node_modules"), join(working, "node_modules"));
  const { account, server } = sandbox.authorization;
  const values = new Map([
    ["CARDWRIGHT_BASE_URL", sandbox.platform.urls.api ?? ""],
    ["CARDWRIGHT_APP_ID", account.appId],
    ["CARDWRIGHT_API_KEY", account.apiKey],
    ["CARDWRIGHT_API_SECRET", account.apiSecret],
    ["CARDWRIGHT_WEBHOOK_SECRET", account.webhookSecret ?? ""],
    ["MERCHANT", server.url],
  ]);
  guided = await followGuide({ commands, values, folder, working });
}, 180_000);

afterAll(async () => {
  guided?.end();
  await sandbox.stop();
  await db.drop();
  await rm(folder, { recursive: true, force: true });
});

test.each(commands.map(({ line, text }) => ({ line, first: text.split("\n", 1)[0] ?? "" })))(
  "the commands in line $line run to their end: $first",
  ({ line }) => {
    // The output is compared too, so that a failure shows it.
    const { finished, output } = guided?.ran.get(line) ?? { finished: false, output: "the run did not come this far" };
    expect({ finished, output }).toEqual({ finished: true, output });
  },
);

const shown = blocks.flatMap((block, index) => {
  const before = blocks[index - 1];
  return block.language === "text" && before?.language === "sh" ? [{ ...block, commandLine: before.line }] : [];
});

test.each(shown)("what is shown in line $line is what the commands in line $commandLine print", (block) => {
  const lines = (guided?.ran.get(block.commandLine)?.output ?? "").trim().split("\n");
  // Progress, where there is no terminal, comes before.
  expect(lines.at(-1)).toBe(block.text.trim());
});
