/**
 * `npm test`: all tests, or those that vitest's own arguments choose (`npm test -- apps/server/src/ledger`). The last line
 * is `N passed, N failed`; a file that could not be loaded counts as one failure, for its tests are not known.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const clone = fileURLToPath(new URL("..", import.meta.url));

interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Resolves with vitest's exit code; null when it was ended by a signal. */
function runVitest(words: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const vitest = join(clone, "node_modules", "vitest", "vitest.mjs");
    const child = spawn(process.execPath, [vitest, "run", ...words], { cwd: clone, stdio: "inherit" });
    // Ctrl-C reaches vitest by itself; this process stays to print what was counted.
    process.on("SIGINT", () => {});
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    child.on("error", reject);
    child.on("exit", resolve);
  });
}

function countOf(report: object, key: string): number {
  const value: unknown = Reflect.get(report, key);
  return typeof value === "number" ? value : 0;
}

function filesNotLoaded(report: object): number {
  const files: unknown = Reflect.get(report, "testResults");
  return Array.isArray(files) ? files.filter(isNotLoaded).length : 0;
}

function isNotLoaded(file: unknown): boolean {
  return (
    typeof file === "object" &&
    file !== null &&
    "status" in file &&
    file.status === "failed" &&
    "assertionResults" in file &&
    Array.isArray(file.assertionResults) &&
    !file.assertionResults.some((test: unknown) => isFailed(test))
  );
}

function isFailed(test: unknown): boolean {
  return typeof test === "object" && test !== null && "status" in test && test.status === "failed";
}

/** From vitest's JSON report; a run without one, or one that failed for no counted reason, is a failure by itself. */
function tally(reportText: string, exitCode: number | null): Tally {
  const report: unknown = reportText === "" ? {} : JSON.parse(reportText);
  if (typeof report !== "object" || report === null) {
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const failed = countOf(report, "numFailedTests") + filesNotLoaded(report);
  return {
    passed: countOf(report, "numPassedTests"),
    failed: exitCode === 0 ? failed : Math.max(failed, 1),
    skipped: countOf(report, "numPendingTests") + countOf(report, "numTodoTests"),
  };
}

const folder = await mkdtemp(join(tmpdir(), "cardwright-report-"));
const reportFile = join(folder, "report.json");
try {
  const exitCode = await runVitest([
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
    ...process.argv.slice(2),
  ]);
  const { passed, failed, skipped } = tally(await readFile(reportFile, "utf8").catch(() => ""), exitCode);
  process.stdout.write(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
  process.exitCode = failed === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
