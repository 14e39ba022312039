import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createContext, runInContext } from "node:vm";
import { rolldown } from "rolldown";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildSdk } from "./build.ts";

const clone = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);

/** A stranger's project, in which the tarball is installed and nothing else. */
let project: string;
let packed: { readonly files: readonly { readonly path: string }[] };

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "cardwright-sdk-"));
  const built = join(project, "built");
  await buildSdk(built);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", project], { cwd: built });
  const [tarball]: { filename: string; files: { path: string }[] }[] = JSON.parse(stdout);
  if (tarball === undefined) throw new Error("npm packed nothing");
  packed = tarball;
  await rm(built, { recursive: true });
  await writeFile(join(project, "package.json"), '{ "name": "stranger", "private": true, "type": "module" }');
  // Without a network: it depends on nothing.
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", `./${tarball.filename}`], { cwd: project });
}, 120_000);
afterAll(() => rm(project, { recursive: true, force: true }));

/** Verifies a callback and looks at an error, with nothing but what the package has. */
const usage = `
  const callbacks = createCallbacks({ appId: "app", apiSecret: "secret" });
  const signed = await callbacks.sign({ action: "News", dataText: "{}" });
  const { action } = await callbacks.verify(signed);
  const client = new Cardwright({ baseUrl: "http://127.0.0.1:9", apiKey: "key", retriesMax: 0 });
  const failed = await client.cards.retrieve("C1").catch((error) => error);
  const cipherText = await encryptForCard("123", "s".repeat(32));
  const said = JSON.stringify([action, failed instanceof ConnectionError, cipherText.length, String(toMinorUnits("1.5", "USD"))]);`;
const names = "Cardwright, ConnectionError, createCallbacks, encryptForCard, toMinorUnits";
const said = '["other",true,24,"150"]';

async function output(file: string, text: string): Promise<string> {
  await writeFile(join(project, file), text);
  const { stdout } = await run(process.execPath, [join(project, file)], { cwd: project });
  return stdout.trim();
}

test("the tarball holds code, types and documents, and depends on nothing", async () => {
  const paths = packed.files.map(({ path }) => path);
  expect(paths.filter((path) => !path.startsWith("types/")).toSorted()).toEqual([
    "LICENSE",
    "README.md",
    "api.md",
    "index.cjs",
    "index.js",
    "package.json",
  ]);
  expect(paths).toEqual(expect.arrayContaining(["types/index.d.ts", "types/index.d.cts"]));
  const manifest: unknown = JSON.parse(await readFile(installed("package.json"), "utf8"));
  expect(manifest).toMatchObject({ sideEffects: false, engines: { node: ">=20" } });
  expect(Object.keys(Object(manifest)).filter((key) => /dependencies|scripts|private/iu.test(key))).toEqual([]);
});

const installed = (file: string): string => join(project, "node_modules/@cardwright/sdk", file);

test("it is imported from an ES module", async () => {
  const text = `import { ${names} } from "@cardwright/sdk";\n${usage}\nconsole.log(said);`;
  expect(await output("uses.mjs", text)).toBe(said);
});

test("it is required from CommonJS", async () => {
  const text = `const { ${names} } = require("@cardwright/sdk");\n(async () => {${usage}\nconsole.log(said);})();`;
  expect(await output("uses.cjs", text)).toBe(said);
});

test("it goes through a bundler for browsers and workers, and runs without anything of Node", async () => {
  await writeFile(
    join(project, "worker.js"),
    `import { ${names} } from "@cardwright/sdk";\nexport async function use() {${usage}\nreturn said; }`,
  );
  const bundle = await rolldown({ input: join(project, "worker.js"), platform: "browser", cwd: project });
  const { output: chunks } = await bundle.generate({ format: "iife", name: "bundled" });
  await bundle.close();
  const code = chunks[0].code;
  expect(code).not.toMatch(/["']node:|\brequire\(|\bprocess\.|\bBuffer\b/u);
  const { AbortController, fetch, crypto, Headers, performance, Request, Response, TextDecoder, TextEncoder, URL } =
    globalThis;
  const web = { AbortController, atob, btoa, clearTimeout, crypto, fetch, Headers, performance, Request, Response };
  const context = createContext({ ...web, setTimeout, TextDecoder, TextEncoder, Uint8Array, URL });
  expect(await runInContext(`${code}; bundled.use()`, context)).toBe(said);
});

test("a bundle of one helper holds little else", async () => {
  await writeFile(join(project, "small.js"), 'export { toMinorUnits } from "@cardwright/sdk";');
  const bundle = await rolldown({ input: join(project, "small.js"), platform: "browser", cwd: project });
  const { output: chunks } = await bundle.generate({ format: "esm" });
  await bundle.close();
  expect(chunks[0].code).not.toContain("/open-api/v1");
});

const typedUsage = `
import { approve, Cardwright, type Card, createCallbacks, decline, NotFoundError } from "@cardwright/sdk";
const client = new Cardwright({ baseUrl: "https://cards.example.com", apiKey: "key", fetch: (url, init) => fetch(url, init) });
export async function first(): Promise<Card | null> {
  for await (const { card_no } of client.cards.list({ start_time: "2026-05-01", end_time: "2026-05-02" })) {
    try {
      return await client.cards.retrieve(card_no);
    } catch (error) {
      if (error instanceof NotFoundError) return null;
      throw error;
    }
  }
  // @ts-expect-error A status that nobody may ask for.
  await client.cards.updateStatus({ card_no: "C1", status: "Pending" });
  return null;
}
export const handler = createCallbacks({ appId: "app", apiSecret: "secret" }).handler({
  onAuth: ({ data }) => (data.amount > 100 ? decline("exceeds_limit") : approve()),
});
export const answer: Promise<Response> = handler.fetch(new Request("https://merchant.example/"));
`;

interface TypesOptions {
  readonly module: string;
  readonly moduleResolution: string;
  readonly lib: readonly string[];
  readonly types: readonly string[];
}

/** "right", or what the compiler says. */
async function checked(files: Readonly<Record<string, string>>, options: TypesOptions): Promise<string> {
  for (const [file, text] of Object.entries(files)) await writeFile(join(project, file), text);
  const config = {
    compilerOptions: {
      ...options,
      target: "es2022",
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      // Those of Node are not ours to check.
      skipLibCheck: options.types.length > 0,
      typeRoots: [join(clone, "node_modules/@types")],
    },
    files: Object.keys(files),
  };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify(config));
  return await run(join(clone, "node_modules/.bin/tsc"), ["-p", project]).then(
    () => "right",
    (error: { stdout?: string }) => error.stdout ?? "",
  );
}

const browser = { lib: ["es2022", "dom"], types: [] };
test("its types are right for a bundler", async () => {
  const options = { module: "esnext", moduleResolution: "bundler", ...browser };
  expect(await checked({ "uses.ts": typedUsage }, options)).toBe("right");
});

test("its types are right for Node's ES modules and for CommonJS", async () => {
  const options = { module: "node16", moduleResolution: "node16", ...browser };
  expect(await checked({ "uses.mts": typedUsage, "uses.cts": typedUsage }, options)).toBe("right");
});

test("its types and the README's examples are right with Node's own types", async () => {
  const readme = await readFile(installed("README.md"), "utf8");
  const examples = [...readme.matchAll(/```ts\n(.*?)```/gsu)].map((match) => match[1] ?? "");
  expect(examples.length).toBeGreaterThanOrEqual(4);
  const files = Object.fromEntries(examples.map((example, at) => [`readme-${at}.mts`, example]));
  const options = { module: "nodenext", moduleResolution: "nodenext", lib: ["es2022"], types: ["node"] };
  expect(await checked({ "node.mts": typedUsage, ...files }, options)).toBe("right");
});
