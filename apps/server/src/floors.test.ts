import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/**
 * Holds the house as ARCHITECTURE.md describes it. What each test compares with the empty list are the broken rules, one
 * sentence each: `file:line what is wrong`.
 */

const clone = fileURLToPath(new URL("../../..", import.meta.url));
const serverSource = "apps/server/src";

/** From the ground up. An import goes to a lower floor, or to the left on the same floor. */
const floors: readonly (readonly string[])[] = [
  ["kernel"],
  ["database"],
  ["ledger", "vault", "audit"],
  ["merchants", "cardholders", "products", "consumptions", "cards", "credit", "exchange"],
  ["fees", "authorization", "clearing", "settlement"],
  ["callbacks"],
  ["open-api", "card-frame", "console-api", "network", "sandbox"],
];
const faces = new Set(floors.at(-1));
/** Of two rooms the one with the higher number may import the other. */
const heights = new Map(floors.flat().map((room, height) => [room, height]));

/**
 * Files beside the rooms stand above them and may import any room (`main.ts`, `compose.ts` and what they are cut into),
 * except these, which rooms in turn import.
 */
const filesBelowRooms = new Set(["config.ts", "limits.ts"]);

const forbiddenNames = new Set(["utils", "util", "helpers", "helper", "common", "managers", "manager", "impl"]);
const linesMax = 500;

interface Source {
  /** From the root of the clone, with slashes. */
  readonly path: string;
  readonly text: string;
}

interface Import {
  readonly specifier: string;
  readonly line: number;
  readonly kind: "value" | "type" | "dynamic";
}

/** What git tracks or would track: exactly what can land. */
function sources(): readonly Source[] {
  const list = execFileSync(
    "git",
    ["-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
    {
      cwd: clone,
      encoding: "utf8",
      maxBuffer: 50_000_000,
    },
  );
  return list
    .split("\0")
    .filter((path) => path !== "")
    .flatMap((path) => {
      try {
        const bytes = readFileSync(join(clone, path));
        return bytes.includes(0) ? [] : [{ path, text: bytes.toString("utf8") }];
      } catch {
        // Removed from the folder, not yet from git's list.
        return [];
      }
    });
}

/** Comments become spaces, so that what they mention is no import and line numbers stay. Strings are left alone. */
function withoutComments(text: string): string {
  return text.replace(
    /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|\/\/[^\n]*/gu,
    (found) => (found.startsWith("/") ? found.replace(/[^\n]/gu, " ") : found),
  );
}

const importForms: readonly (readonly [Import["kind"], RegExp])[] = [
  ["type", /^[ \t]*(?:import|export)\s+type\s[^"'();]*?\sfrom\s*["']([^"']+)["']/gmu],
  ["value", /^[ \t]*(?:import|export)\s+(?!type\s)(?:[^"'();]*?\sfrom\s*)?["']([^"']+)["']/gmu],
  ["dynamic", /\bimport\(\s*["']([^"']+)["']/gu],
];

function importsOf(source: Source): readonly Import[] {
  const code = withoutComments(source.text);
  return importForms.flatMap(([kind, form]) =>
    [...code.matchAll(form)].map((match) => ({
      specifier: match[1] ?? "",
      line: lineAt(code, match.index + match[0].length),
      kind,
    })),
  );
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}

/** Where an import leads: a path from the clone's root, or null for a package from npm or Node. */
function targetOf(source: Source, specifier: string): string | null {
  if (specifier.startsWith(".")) {
    return join(dirname(source.path), specifier);
  }
  return specifier.startsWith("#") ? join(serverSource, specifier.slice(1)) : null;
}

/** The room of a path in the server, or the name of the top file itself. */
function roomOf(path: string): string | null {
  return path.startsWith(`${serverSource}/`) ? (path.slice(serverSource.length + 1).split("/")[0] ?? null) : null;
}

const isTest = (path: string): boolean => path.endsWith(".test.ts");
/** Of what `roomOf` names: a file beside the rooms, not a room. */
const isTopFile = (room: string): boolean => room.endsWith(".ts");

/** Whether one import of a file of the server keeps the floors; null, or what it breaks. */
function brokenFloor(source: Source, imported: Import): string | null {
  const target = targetOf(source, imported.specifier);
  const from = roomOf(source.path);
  const to = target === null ? null : roomOf(target);
  if (target === null || from === null || to === null || from === to) {
    return null;
  }
  if (isTopFile(to)) {
    return brokenTopImport({ from, to }, imported);
  }
  const inner = target.slice(`${serverSource}/${to}/`.length);
  if (inner !== "index.ts") {
    return `enters the room ${to} by ${inner} instead of index.ts`;
  }
  if (isTopFile(from)) {
    return brokenRoomFromTop({ from, to }, imported);
  }
  if (faces.has(from) && faces.has(to)) {
    return `is the face ${from} and imports the face ${to}`;
  }
  return (heights.get(to) ?? 0) < (heights.get(from) ?? -1) ? null : `${from} may not import ${to}: imports go down`;
}

interface Way {
  readonly from: string;
  readonly to: string;
}

function brokenTopImport({ from, to }: Way, imported: Import): string | null {
  if (isTopFile(from) || to === "limits.ts") {
    return null;
  }
  if (to === "config.ts") {
    return imported.kind === "type" ? null : "rooms may import types of config.ts only: values are passed in";
  }
  return `rooms may not import ${to}`;
}

function brokenRoomFromTop({ from, to }: Way, imported: Import): string | null {
  if (filesBelowRooms.has(from) && to !== "kernel") {
    return `${from} may import the kernel only: rooms import it`;
  }
  if (to === "sandbox" && imported.kind === "value") {
    return "the sandbox is loaded by `await import`, so that production never loads it";
  }
  return null;
}

const all = sources();
const code = all.filter((source) => /\.(?:ts|tsx)$/u.test(source.path));
const server = code.filter((source) => source.path.startsWith(`${serverSource}/`));

test("imports in the server go down the floors, and enter a room by its index.ts", () => {
  const broken = server.flatMap((source) =>
    importsOf(source).flatMap((imported) => {
      const reason = brokenFloor(source, imported);
      return reason === null ? [] : [`${source.path}:${imported.line} ${reason}`];
    }),
  );
  expect(broken).toEqual([]);
});

test("the server consists of the rooms of the architecture, each of which has its floor here", () => {
  const rooms = new Set(server.map((source) => roomOf(source.path) ?? "").filter((room) => !isTopFile(room)));
  expect([...rooms].filter((room) => !heights.has(room))).toEqual([]);
});

test("only what composes the platform loads the sandbox, and only dynamically", () => {
  const loaders = server.flatMap((source) =>
    importsOf(source)
      .filter((imported) => roomOf(targetOf(source, imported.specifier) ?? "") === "sandbox")
      .filter((imported) => roomOf(source.path) !== "sandbox" && imported.kind !== "type")
      .filter((imported) => !(isTopFile(roomOf(source.path) ?? "") && imported.kind === "dynamic"))
      .map((imported) => `${source.path}:${imported.line} loads the sandbox`),
  );
  expect(loaders).toEqual([]);
});

/** The workspace a path belongs to, for example `apps/server`. */
const workspaceOf = (path: string): string => /^(?:apps|packages|examples)\/[^/]+/u.exec(path)?.[0] ?? "";

const appPackages = new Map(
  all
    .filter((source) => /^(?:apps|examples)\/[^/]+\/package\.json$/u.test(source.path))
    .map((source) => [nameIn(source), dirname(source.path)]),
);

function nameIn(source: Source): string {
  const manifest: unknown = JSON.parse(source.text);
  const name: unknown = typeof manifest === "object" && manifest !== null ? Reflect.get(manifest, "name") : null;
  return typeof name === "string" ? name : "";
}

/** The workspace that an import of another workspace leads to; "" within its own and for what npm brings. */
function workspaceImported(source: Source, specifier: string): string {
  const target = targetOf(source, specifier);
  const own = workspaceOf(source.path);
  if (target !== null) {
    const workspace = workspaceOf(target);
    return workspace === own ? "" : workspace;
  }
  const packageName = specifier.split("/").slice(0, 2).join("/");
  return appPackages.get(packageName) ?? "";
}

test("no app imports another app, no package imports an app, and other workspaces are entered by their package name", () => {
  const broken = code
    .filter((source) => workspaceOf(source.path) !== "")
    .flatMap((source) =>
      importsOf(source).flatMap((imported) => {
        const workspace = workspaceImported(source, imported.specifier);
        return workspace === "" ? [] : [`${source.path}:${imported.line} imports ${workspace}`];
      }),
    );
  expect(broken).toEqual([]);
});

test("no file or folder is named after a drawer", () => {
  const named = all
    .map((source) => source.path)
    .filter((path) => path.split("/").some((part) => forbiddenNames.has(part.replace(/\..*$/u, ""))));
  expect(named).toEqual([]);
});

/** Lines of a source that match, as `file:line`. */
function linesWith(source: Source, pattern: RegExp): readonly string[] {
  return source.text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${source.path}:${index + 1}`] : []));
}

test("rooms take the time from a clock that is passed in", () => {
  const asking = server
    .filter((source) => source.path !== `${serverSource}/kernel/clock.ts` && heights.has(roomOf(source.path) ?? ""))
    .filter((source) => !isTest(source.path))
    .map((source) => ({ ...source, text: withoutComments(source.text) }))
    .flatMap((source) => linesWith(source, /\bDate\.now\(|\bnew Date\(\s*\)/u));
  expect(asking).toEqual([]);
});

test("no source file is longer than 500 lines", () => {
  const long = code
    .map((source) => ({ path: source.path, lines: source.text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > linesMax)
    .map(({ path, lines }) => `${path} has ${lines} lines`);
  expect(long).toEqual([]);
});

test("no file names a folder of the machine it was written on", () => {
  const machinePath = /(?:^|[\s"'`(=:])(?:\/work\/(?:main|shared)|\/root\/|\/home\/(?!user\b|<)[a-z])/u;
  const broken = all
    .filter((source) => source.path !== `${serverSource}/floors.test.ts`)
    .flatMap((source) => linesWith(source, machinePath));
  expect(broken).toEqual([]);
});

/** The rules would hold of nothing if the scanner saw nothing: a source that breaks many of them must be caught. */
test("the scanner finds imports in every form and each broken floor", () => {
  const source = (path: string, text: string): Source => ({ path: `${serverSource}/${path}`, text });
  const reasons = (path: string, text: string): readonly (string | null)[] =>
    importsOf(source(path, text)).map((imported) => brokenFloor(source(path, text), imported));
  const forms = [
    'import {\n  a,\n  type B,\n} from "#cards/index.ts";',
    'export * from "#cards/index.ts";',
    'import "#cards/index.ts";',
    'import type { C } from "../cards/index.ts";',
    'const d = await import("#cards/index.ts");',
  ];
  for (const form of forms) {
    expect(reasons("ledger/store.ts", form)).toEqual(["ledger may not import cards: imports go down"]);
  }
  expect(reasons("ledger/store.ts", '// import "#cards/index.ts"\n/* import "#cards/index.ts" */')).toEqual([]);
  expect(reasons("cards/a.ts", 'import { p } from "#products/index.ts";')).toEqual([null]);
  expect(reasons("products/a.ts", 'import { p } from "#cards/index.ts";')).toHaveLength(1);
  expect(reasons("products/a.ts", 'import { p } from "#cards/index.ts";')).not.toEqual([null]);
  expect(reasons("cards/a.ts", 'import { p } from "#ledger/store.ts";')).toEqual([
    "enters the room ledger by store.ts instead of index.ts",
  ]);
  expect(reasons("network/a.ts", 'import { p } from "#open-api/index.ts";')).toEqual([
    "is the face network and imports the face open-api",
  ]);
  expect(reasons("cards/a.ts", 'import { config } from "#config.ts";')).not.toEqual([null]);
  expect(reasons("cards/a.ts", 'import type { Config } from "#config.ts";')).toEqual([null]);
  expect(reasons("compose.ts", 'import { sandbox } from "#sandbox/index.ts";')).not.toEqual([null]);
});
