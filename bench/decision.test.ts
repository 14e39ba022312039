import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const clone = fileURLToPath(new URL("..", import.meta.url));

/** Runs the command as a person would; the exit code depends on the speed of the machine and is not looked at. */
async function bench(words: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, ["scripts/bench.ts", ...words], {
    cwd: clone,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let trouble = "";
  child.stdout.on("data", (text: Buffer) => {
    output += text.toString("utf8");
  });
  child.stderr.on("data", (text: Buffer) => {
    trouble += text.toString("utf8");
  });
  await new Promise<void>((resolve) => {
    child.on("close", () => resolve());
  });
  return output === "" ? trouble : output;
}

test("a short run on a tiny programme prints one JSON line, and every approval that was given is a hold in a clean ledger", async () => {
  const output = await bench(["decision", "--seconds", "2", "--rows", "2000", "--tmpfs", "--json"]);
  expect(output.trim().split("\n")).toHaveLength(1);
  const result: unknown = JSON.parse(output);
  expect(result).toMatchObject({
    bench: "decision",
    ok: expect.any(Boolean),
    value: expect.any(Number),
    baseline: expect.any(Number),
    ratio: expect.any(Number),
    bar: 2.5,
    unit: "decisions/s",
    p50_ms: expect.any(Number),
    p99_ms: expect.any(Number),
    ledger: [{ ok: true, broken: [] }],
    errors: [],
  });
}, 90_000);
