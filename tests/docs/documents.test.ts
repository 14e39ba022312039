import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { generateCliPage } from "@cardwright/cli/reference";
import { generateDeclinesPage, generateErrorsPage } from "@cardwright/contract";
import { expect, test } from "vitest";
import { readConfig } from "../../apps/server/src/config.ts";
import { newMasterKey } from "../../apps/server/src/vault/index.ts";
import { clone, document, documents, fencedBlocks } from "./documents.ts";

/** What each test compares with the empty list are the broken promises, one sentence each. */

const all = documents();

test("the documents that the project promises are there", () => {
  const promised = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "docs/decisions/README.md",
    "docs/guides/first-integration.md",
    "docs/guides/quickstart.md",
    "docs/guides/verify-callbacks.md",
    "docs/operations/failure-modes.md",
    "docs/operations/running.md",
    "docs/reference/declines.md",
    "docs/reference/errors.md",
  ];
  expect(promised.filter((path) => !all.some((each) => each.path === path))).toEqual([]);
});

function scriptNames(): ReadonlySet<string> {
  const manifest: unknown = JSON.parse(document("package.json"));
  const scripts: unknown = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "scripts") : null;
  return new Set(typeof scripts === "object" && scripts !== null ? Object.keys(scripts) : []);
}

/** What npm has of its own, and what it runs as a script without `run`. */
const ownCommands = new Set(["install", "ci"]);
const shortScripts = new Set(["start", "test"]);

/** `npm run NAME` anywhere; `npm NAME` in code only, since a sentence about npm goes on with other words. */
const npmCommand = /(?:(?:`|^ {4}|^)npm |\bnpm (?=run ))(?<run>run )?(?<name>[a-z][a-z-]*)/gmu;

test("every npm command in a document exists", () => {
  const scripts = scriptNames();
  const commands = all.flatMap(({ path, text }) =>
    [...text.matchAll(npmCommand)].map(({ groups = {} }) => ({ path, run: groups["run"], name: groups["name"] ?? "" })),
  );
  expect(commands.length).toBeGreaterThan(20);
  const unknown = commands.filter(({ run, name }) =>
    run === undefined ? !ownCommands.has(name) && !shortScripts.has(name) : !scripts.has(name),
  );
  expect(unknown).toEqual([]);
});

test("every script of package.json is in the README", () => {
  const readme = document("README.md");
  const missing = [...scriptNames()].filter(
    (name) => !readme.includes(`\`npm run ${name}\``) && !readme.includes(`\`npm ${name}\``),
  );
  expect(missing).toEqual([]);
});

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

function hasAnchor(path: string, anchor: string): boolean {
  const headings = [...document(path).matchAll(/^#+ (.+)$/gmu)].map(([, heading = ""]) => anchorOf(heading));
  return headings.includes(anchor);
}

test("every relative link in a document leads to something", () => {
  const broken = all.flatMap(({ path, text }) =>
    [...text.replaceAll(/^```[\s\S]*?^```$/gmu, "").matchAll(/\]\(([^)\s]+)\)/gu)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^[a-z]+:/u.test(target))
      .filter((target) => {
        const [file = "", anchor] = target.split("#", 2);
        const full = file === "" ? path : join(dirname(path), file);
        return !existsSync(join(clone, full)) || (anchor !== undefined && !hasAnchor(full, anchor));
      })
      .map((target) => `${path}: ${target}`),
  );
  expect(broken).toEqual([]);
});

test("every decision record is in the list of decisions", () => {
  const list = document("docs/decisions/README.md");
  const records = all.filter(({ path }) => /^docs\/decisions\/\d{4}-/u.test(path));
  expect(records.length).toBeGreaterThan(0);
  expect(
    records.map(({ path }) => path.slice("docs/decisions/".length)).filter((name) => !list.includes(name)),
  ).toEqual([]);
});

test("every file that a document names in backticks by its path exists", () => {
  const named = all
    .filter(({ path }) => !path.startsWith("packages/") && !path.startsWith("examples/"))
    .flatMap(({ path, text }) =>
      [...text.matchAll(/`((?:apps|packages|scripts|tests|docs|examples)\/[\w./-]+)`/gu)].map(([, file = ""]) => ({
        path,
        file,
      })),
    );
  expect(named.length).toBeGreaterThan(0);
  const missing = named.filter(({ file }) => !file.includes("NNNN") && !existsSync(join(clone, file)));
  expect(missing).toEqual([]);
});

const required = {
  DATABASE_URL: "postgres://somebody@localhost/nowhere",
  VAULT_MASTER_KEYS: newMasterKey("test"),
  ADMIN_TOKEN: "a token of more than 24 characters",
  NETWORK_TOKEN: "a token of more than 24 characters",
  SUMSUB_APP_TOKEN: "token",
  SUMSUB_SECRET: "secret",
  SUMSUB_WEBHOOK_SECRET: "secret",
};

test("the table of settings names every setting of the server, with its default, and no other", () => {
  const section = document("docs/operations/running.md").split("\n## Settings\n")[1]?.split("\n## ")[0] ?? "";
  const documented = [...section.matchAll(/^\| `([A-Z_]+)` +\| (.+?) +\|/gmu)].map(([, name = "", fallback = ""]) => [
    name,
    fallback,
  ]);
  // Production insists on a URL of Sumsub, so the default of both this and the environment need words of their own.
  const config = readConfig({ ...required, SUMSUB_URL: "https://kyc.example" });
  const expected = Object.entries(config).map(([name, value]) => {
    if (name in required) {
      return [name, "required"];
    }
    const told = typeof value === "object" ? value.map((entry) => JSON.stringify(entry)).join(",") : String(value);
    const text = name === "SUMSUB_URL" ? "" : told;
    return [name, text === "" ? "empty" : `\`${text}\``];
  });
  expect(new Map(documented.map(([name = "", fallback]) => [name, fallback]))).toEqual(
    new Map(expected.map(([name = "", fallback]) => [name, fallback])),
  );
  expect(() => readConfig({ ...required, CARDWRIGHT_ENV: "sandbox" })).not.toThrow();
});

test("every metric that the operator is told of is measured, and every one that is measured is told", async () => {
  const { createMetrics } = await import("../../apps/server/src/metrics.ts");
  const own = createMetrics()
    .registry.getMetricsAsArray()
    .map(({ name }) => name)
    .filter((name) => name.startsWith("cardwright_"));
  const running = document("docs/operations/running.md");
  const told = [...running.matchAll(/^\| `(cardwright_[a-z_]+)` +\|/gmu)].map(([, name = ""]) => name);
  expect(told.toSorted()).toEqual(own.toSorted());
});

test("the tables of error codes and decline reasons are what the code makes", () => {
  expect(document("docs/reference/errors.md")).toBe(generateErrorsPage());
  expect(document("docs/reference/declines.md")).toBe(generateDeclinesPage());
});

test("the reference of the command line is what the table of commands makes", () => {
  expect(document("docs/reference/cli.md")).toBe(generateCliPage());
});

test("the README's first screen says what it is and the two commands, in 40 lines at most", () => {
  const firstScreen = document("README.md").split("\n## ")[0] ?? "";
  expect(firstScreen.split("\n").length).toBeLessThanOrEqual(41);
  expect(firstScreen).toContain("npm start");
  expect(firstScreen).toContain("npm run demo");
});

test("every fenced block of a document is closed", () => {
  const open = all.filter(({ text }) => [...text.matchAll(/^```/gmu)].length !== fencedBlocks(text).length * 2);
  expect(open.map(({ path }) => path)).toEqual([]);
});
