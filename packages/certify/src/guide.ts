import { catalogue } from "./catalogue.ts";
import type { Group, Weight } from "./check.ts";
import { capOf } from "./grade.ts";
import type { Mode } from "./options.ts";

/** What can be told of a check without running it. */
export interface CheckListing {
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly weight: Weight;
  /** Null: both. */
  readonly mode: Mode | null;
  readonly proves: string;
  readonly mend: string;
}

export const checkList: readonly CheckListing[] = catalogue.map(({ id, group, title, weight, mode, proves, mend }) => ({
  id,
  group,
  title,
  weight,
  mode: mode ?? null,
  proves,
  mend,
}));

/** The table of all checks in docs/guides/certify.md; the same source gives the same text. */
export function generateChecksTable(): string {
  const rows = checkList.map(({ id, title, weight, mode, proves }) => [
    `\`${id}\``,
    title,
    proves,
    weight,
    capOf[weight],
    mode === "AUTHORIZATION" ? "authorization" : "both",
  ]);
  return table(
    ["check", "what it looks for", "what a pass proves", "weight", "best grade after a failure", "mode"],
    rows,
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(3, ...lines.map((cells) => (cells[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  const [first = [], ...others] = lines;
  return [line(first), line(widths.map((width) => "-".repeat(width))), ...others.map(line)].join("\n");
}
