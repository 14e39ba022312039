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
function generateChecksTable(): string {
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

const tableBegin = "<!-- checks: made by npm run generate from packages/certify; change that, not this table. -->";
const tableEnd = "<!-- end of checks -->";

/** The text of docs/guides/certify.md with its table of checks made anew; throws when the place for it is missing. */
export function withChecksTable(guide: string): string {
  const [before, rest] = guide.split(tableBegin, 2);
  const after = rest?.split(tableEnd, 2)[1];
  if (before === undefined || after === undefined) {
    throw new Error("the guide has no place for the table of checks");
  }
  return `${before}${tableBegin}\n\n${generateChecksTable()}\n\n${tableEnd}${after}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map((cells) => cells.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = head.map((_, column) => Math.max(3, ...lines.map((cells) => (cells[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  const [first = [], ...others] = lines;
  return [line(first), line(widths.map((width) => "-".repeat(width))), ...others.map(line)].join("\n");
}
