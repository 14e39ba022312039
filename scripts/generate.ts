import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { withChecksTable } from "@cardwright/certify";
import {
  generateDeclinesPage,
  generateDeveloperOpenApi,
  generateErrorsPage,
  generateOpenApi,
} from "@cardwright/contract";
import { generateCliPage } from "../packages/cli/src/command/reference.ts";
import { generateApiPage, sdkSources } from "../packages/sdk/generator/index.ts";
import { lockWithoutLinks } from "./lock-file.ts";

const clone = dirname(dirname(fileURLToPath(import.meta.url)));

/** Files that are made from the code and committed, so that a change of the contract shows in a review. */
const generated: readonly { readonly path: string; readonly make: (present: string) => string }[] = [
  { path: "packages/contract/openapi.json", make: generateOpenApi },
  { path: "packages/contract/developer-openapi.json", make: generateDeveloperOpenApi },
  { path: "docs/reference/errors.md", make: generateErrorsPage },
  { path: "docs/reference/declines.md", make: generateDeclinesPage },
  { path: "docs/reference/cli.md", make: generateCliPage },
  ...sdkSources,
  { path: "packages/sdk/api.md", make: generateApiPage },
  { path: "docs/guides/certify.md", make: withChecksTable },
  { path: "package-lock.json", make: lockWithoutLinks },
];

const help = `npm run generate: writes the files that are made from the code
  --check   writes nothing; exit code 1 when a committed file differs
`;

async function main(): Promise<number> {
  if (process.argv.includes("--help")) {
    process.stdout.write(help);
    return 0;
  }
  const check = process.argv.includes("--check");
  let stale = 0;
  for (const { path, make } of generated) {
    const present = await readFile(join(clone, path), "utf8").catch(() => "");
    const text = make(present);
    if (present === text) {
      continue;
    }
    stale += 1;
    if (check) {
      process.stdout.write(`${path} is not what the code makes: run npm run generate\n`);
    } else {
      await writeFile(join(clone, path), text);
      process.stdout.write(`wrote ${path}\n`);
    }
  }
  return check && stale > 0 ? 1 : 0;
}

process.exitCode = await main();
