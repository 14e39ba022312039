import { mkdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { temporaryFolder } from "@cardwright/testing/temporary-folder";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyPorts, type Sandbox, startSandbox } from "../../scripts/sandbox/sandbox.ts";
import { clone, document, type FencedBlock, fencedBlocks } from "./documents.ts";
import { type FollowedGuide, followGuide } from "./guide-shell.ts";

/** A page that is followed in a sandbox of its own. */
export interface Followed {
  readonly blocks: readonly FencedBlock[];
  readonly commands: readonly FencedBlock[];
  /** What the block of this line printed. */
  outputOf(line: number): string;
  /** Of the running test. */
  sandbox(): Sandbox;
  database(): TestDatabase;
}

/**
 * Runs the `sh` blocks of a page in one bash against a real sandbox, before the tests of the file that calls this, and has a test for each
 * of them that it ran to its end. `valuesOf` is what a reader copies from the terminal of `npm start` into the first block.
 */
export function followInSandbox(
  page: string,
  valuesOf: (sandbox: Sandbox) => Promise<ReadonlyMap<string, string>>,
): Followed {
  const blocks = fencedBlocks(document(page));
  const commands = blocks.filter(({ language }) => language === "sh");
  const place: { db?: TestDatabase; sandbox?: Sandbox; folder?: string; guided?: FollowedGuide } = {};
  beforeAll(async () => {
    place.db = await createTestDatabase();
    place.folder = await temporaryFolder("guide");
    place.sandbox = await startSandbox({
      directory: join(place.folder, "data"),
      databaseUrl: place.db.url,
      ports: anyPorts,
      freshMerchants: false,
      onSeed: () => undefined,
    });
    const { folder } = place;
    const working = await readersClone(folder);
    place.guided = await followGuide({ commands, values: await valuesOf(place.sandbox), folder, working });
  }, 180_000);
  afterAll(async () => {
    place.guided?.end();
    await place.sandbox?.stop();
    await place.db?.drop();
    if (place.folder !== undefined) await rm(place.folder, { recursive: true, force: true });
  });
  test.each(commands.map(({ line, text }) => ({ line, first: text.split("\n", 1)[0] ?? "" })))(
    "the commands in line $line run to their end: $first",
    ({ line }) => {
      // The output is compared too, so that a failure shows it.
      const ran = place.guided?.ran.get(line);
      const { finished, output } = ran ?? { finished: false, output: "the run did not come this far" };
      expect({ finished, output }).toEqual({ finished: true, output });
    },
  );
  return {
    blocks,
    commands,
    outputOf: (line) => place.guided?.ran.get(line)?.output ?? "",
    sandbox: () => present(place.sandbox),
    database: () => present(place.db),
  };
}

function present<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("it is there while the tests run");
  return value;
}

/** What a page needs of a clone is what npm has put there; its files are written elsewhere than into this clone. */
async function readersClone(folder: string): Promise<string> {
  const working = join(folder, "reader");
  await mkdir(working);
  await symlink(join(clone, "node_modules"), join(working, "node_modules"));
  return working;
}
