import type { BenchResult, Detail } from "./benchmark.ts";

/** One line of `--json`: the details stand beside the fixed fields. */
export function jsonLine({ details, ...result }: BenchResult): string {
  return JSON.stringify({ ...result, ...details });
}

const columns = ["bench", "", "value", "unit", "baseline", "ratio", "bar", "p50 ms", "p99 ms"] as const;

/** The results as a table, with the details of each below it. */
export function table(results: readonly BenchResult[]): string {
  const rows = [columns, ...results.map(cells)];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const details = results.flatMap(({ bench, details }) => [
    "",
    bench,
    ...Object.entries(details).map(([name, value]) => `  ${name}: ${shown(value)}`),
  ]);
  return [...lines, ...details].join("\n");
}

function cells(result: BenchResult): readonly string[] {
  const { bench, ok, value, unit, baseline, ratio, bar, p50_ms, p99_ms } = result;
  const numbers = [baseline, ratio, bar, p50_ms, p99_ms].map((number) => (number == null ? "" : String(number)));
  return [bench, ok ? "ok" : "MISSED", String(value), unit, ...numbers];
}

function shown(value: Detail): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
