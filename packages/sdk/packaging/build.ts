/**
 * Makes what is published of the SDK: `npm run build` in packages/sdk writes `dist/`, a folder for `npm publish`. What the source needs
 * of other packages of this repository, which are not published, is inside of its two files; it depends on nothing.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { rolldown } from "rolldown";

const sdk = fileURLToPath(new URL("..", import.meta.url));
const clone = fileURLToPath(new URL("../../..", import.meta.url));
const run = promisify(execFile);

/** Writes the package to a folder, which is emptied before. */
export async function buildSdk(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await Promise.all([writeCode(folder), writeTypes(folder), writeManifest(folder)]);
  for (const [from, to] of [
    [join(sdk, "README.md"), "README.md"],
    [join(sdk, "api.md"), "api.md"],
    [join(clone, "LICENSE"), "LICENSE"],
  ] as const) {
    await cp(from, join(folder, to));
  }
}

async function writeCode(folder: string): Promise<void> {
  // "neutral": no API of Node is looked for, and an import of one would stay in the file, where a test finds it.
  const bundle = await rolldown({
    input: join(sdk, "src/index.ts"),
    platform: "neutral",
    transform: { target: "es2022" },
  });
  await bundle.write({ file: join(folder, "index.js"), format: "esm" });
  await bundle.write({ file: join(folder, "index.cjs"), format: "cjs" });
  await bundle.close();
}

/** One declaration for each source file that a public type comes from, for `import` and once more for `require`. */
async function writeTypes(folder: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "cardwright-sdk-types-"));
  try {
    const emitted = await emitDeclarations(work);
    const files = await reachable(emitted, "index.d.ts");
    for (const [file, text] of files) {
      await write(join(folder, "types", file), text.replaceAll(specifier, '$1"$2.js"'));
      const commonJs = file.replace(/\.d\.ts$/u, ".d.cts");
      await write(join(folder, "types", commonJs), text.replaceAll(specifier, '$1"$2.cjs"'));
    }
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** `from "./x.ts"`, `import("./x.ts")`. */
const specifier = /((?:from |import\()\s*)"(\.{1,2}\/[^"]+)\.ts"/gu;

async function emitDeclarations(work: string): Promise<string> {
  const config = {
    extends: join(clone, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: join(clone, "packages"),
      outDir: work,
      typeRoots: [join(clone, "node_modules/@types")],
    },
    include: [],
    files: [join(sdk, "src/index.ts")],
  };
  const configPath = join(work, "tsconfig.json");
  await writeFile(configPath, JSON.stringify(config));
  await run(join(clone, "node_modules/.bin/tsc"), ["-p", configPath]);
  return join(work, "sdk/src");
}

/** The declarations that the first one needs, by their paths. Throws where one needs a package of this repository. */
async function reachable(root: string, first: string): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>();
  const waiting = [first];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (texts.has(file)) continue;
    const text = await readFile(join(root, file), "utf8");
    if (text.includes('"@cardwright/'))
      throw new Error(`a public type of ${file} comes from a package that is not published`);
    texts.set(file, text);
    const folder = dirname(join(root, file));
    for (const match of text.matchAll(specifier)) waiting.push(relative(root, join(folder, `${match[2] ?? ""}.d.ts`)));
  }
  return texts;
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

async function writeManifest(folder: string): Promise<void> {
  const { name, version, description, license, engines }: Record<string, unknown> = JSON.parse(
    await readFile(join(sdk, "package.json"), "utf8"),
  );
  const manifest = {
    name,
    version,
    description,
    license,
    keywords: ["card issuing", "payments", "webhooks"],
    type: "module",
    engines,
    sideEffects: false,
    files: ["index.js", "index.cjs", "types", "README.md", "api.md", "LICENSE"],
    main: "./index.cjs",
    module: "./index.js",
    types: "./types/index.d.ts",
    exports: {
      ".": {
        import: { types: "./types/index.d.ts", default: "./index.js" },
        require: { types: "./types/index.d.cts", default: "./index.cjs" },
      },
      "./package.json": "./package.json",
    },
    publishConfig: { access: "public" },
  };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = join(sdk, "dist");
  await buildSdk(folder);
  process.stdout.write(`wrote ${(await readdir(folder)).join(", ")} to ${relative(clone, folder)}\n`);
}
