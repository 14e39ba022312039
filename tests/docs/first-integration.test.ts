import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { temporaryFolder } from "@cardwright/testing/temporary-folder";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyPorts, type Sandbox, startSandbox } from "../../scripts/sandbox/sandbox.ts";
import { document, fencedBlocks } from "./documents.ts";
import { type FollowedGuide, followGuide, freePort } from "./guide-shell.ts";

/**
 * docs/guides/first-integration.md, followed line by line: its `sh` blocks run in one bash against a real sandbox, and what the
 * page shows behind a block is compared with what the block printed.
 */

const guide = "docs/guides/first-integration.md";
const blocks = fencedBlocks(document(guide));
const commands = blocks.filter(({ language }) => language === "sh");

let db: TestDatabase;
let sandbox: Sandbox;
let folder: string;
let guided: FollowedGuide | null = null;

beforeAll(async () => {
  db = await createTestDatabase();
  folder = await temporaryFolder("guide");
  sandbox = await startSandbox({
    directory: join(folder, "data"),
    databaseUrl: db.url,
    ports: anyPorts,
    freshMerchants: false,
    onSeed: () => undefined,
  });
  const working = join(folder, "reader");
  await mkdir(working);
  guided = await followGuide({ commands, values: await copiedValues(), folder, working });
}, 180_000);

afterAll(async () => {
  guided?.end();
  await sandbox.stop();
  await db.drop();
  await rm(folder, { recursive: true, force: true });
});

/** What a reader copies from the terminal of `npm start` into the page's first block. */
async function copiedValues(): Promise<ReadonlyMap<string, string>> {
  const { urls } = sandbox.platform;
  return new Map([
    ["API", urls.api ?? ""],
    ["KYC", urls.kycSimulator ?? ""],
    ["ADMIN_TOKEN", sandbox.desk.adminToken],
    ["PACKAGE_NO", sandbox.credit.account.productNo],
    ["CARD_BIN_NO", sandbox.authorization.account.productNo],
    ["CREDIT_PORT", String(await freePort())],
    ["AUTHORIZATION_PORT", String(await freePort())],
  ]);
}

test("the page has commands, and shows what most of them print", () => {
  expect(commands.length).toBeGreaterThan(10);
  expect(blocks.filter(({ language }) => language === "text" || language === "json").length).toBeGreaterThan(8);
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
  return block.language === "sh" || before?.language !== "sh" ? [] : [{ ...block, commandLine: before.line }];
});

test.each(shown)("what is shown in line $line is what the commands in line $commandLine print", (block) => {
  const output = guided?.ran.get(block.commandLine)?.output ?? "";
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
  const { rows } = await db.pool.query<{ mode: string; status: string; amount: bigint }>(
    `SELECT m.mode, p.status, p.amount FROM consumption p JOIN merchant m USING (merchant_id)
     WHERE p.stage = 'held' ORDER BY m.mode`,
  );
  expect(rows).toEqual([
    { mode: "AUTHORIZATION", status: "Pending", amount: 2_500n },
    { mode: "CREDIT_EXTENSION", status: "Pending", amount: 2_500n },
  ]);
});
