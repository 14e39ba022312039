/** `npm run check`: everything about the code that can be said without running it, one line per step. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const clone = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string): string => join(clone, "node_modules", ".bin", name);

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
}

const help = `npm run check            types, lint, format, floors, generated files; exit code 1 if anything is wrong
npm run format           the same, and writes the format and the generated files anew
`;

function steps({ fix }: { readonly fix: boolean }): readonly Step[] {
  const generate = join(clone, "scripts", "generate.ts");
  return [
    { name: "types", command: [bin("tsc"), "-p", clone] },
    { name: "lint", command: [bin("oxlint"), "--type-aware", "--deny-warnings"] },
    { name: "format", command: [bin("biome"), "check", ...(fix ? ["--write"] : [])] },
    {
      name: "floors",
      command: [bin("vitest"), "run", "--config", "scripts/floors.vitest.ts", "--reporter=default"],
    },
    ...(existsSync(generate)
      ? [{ name: "generated files", command: [process.execPath, generate, ...(fix ? [] : ["--check"])] } satisfies Step]
      : []),
  ];
}

interface StepResult {
  readonly ok: boolean;
  readonly output: string;
  readonly tookMs: number;
}

function run({ command: [program, ...words] }: Step): Promise<StepResult> {
  const startedMs = performance.now();
  return new Promise((resolve) => {
    let output = "";
    const end = (ok: boolean): void => resolve({ ok, output, tookMs: Math.round(performance.now() - startedMs) });
    const child = spawn(program, words, { cwd: clone, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.on("data", (text: Buffer) => {
      output += text.toString("utf8");
    });
    child.stderr.on("data", (text: Buffer) => {
      output += text.toString("utf8");
    });
    child.on("error", (error) => {
      output += error.message;
      end(false);
    });
    child.on("close", (code) => end(code === 0));
  });
}

const words = process.argv.slice(2);
if (words.includes("--help")) {
  process.stdout.write(help);
} else if (words.some((word) => word !== "--fix")) {
  process.stderr.write(help);
  process.exitCode = 2;
} else {
  for (const step of steps({ fix: words.includes("--fix") })) {
    const { ok, output, tookMs } = await run(step);
    process.stdout.write(`${ok ? "ok    " : "FAILED"}  ${step.name.padEnd(16)} ${String(tookMs).padStart(6)} ms\n`);
    if (!ok) {
      process.stdout.write(`${output.trim()}\n`);
      process.exitCode = 1;
    }
  }
}
