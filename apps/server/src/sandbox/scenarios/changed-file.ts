import { trailerLine } from "#settlement/index.ts";
import { minor, SceneFailed } from "./stage.ts";

/** What a scenario changes in a row of the network's settlement file; exactly one of the three. */
export interface RowChange {
  /** The row's network reference. */
  readonly reference: string;
  /** In US dollars, two decimals. */
  readonly settled?: string | undefined;
  readonly newReference?: string | undefined;
  readonly leftOut?: boolean | undefined;
}

/** Places in a row, by the format of docs/reference/settlement-file.md. */
const referenceField = 1;
const settledField = 7;

/**
 * The file as a network would have sent it that sees these rows otherwise: its number of rows and its sums are right, so nothing but
 * the rows differs. Without changes it is the same text.
 */
export function changedFile(text: string, changes: readonly RowChange[]): string {
  if (changes.length === 0) return text;
  const lines = text.split("\n");
  const header = lines[0] ?? "";
  const rows = lines.filter((line) => line.startsWith("D,")).map((line) => line.split(","));
  for (const { reference } of changes) {
    if (!rows.some((row) => row[referenceField] === reference)) {
      throw new SceneFailed(`the network's file has no row of ${reference}`);
    }
  }
  const changed = rows.flatMap((row) => {
    const change = changes.find(({ reference }) => reference === row[referenceField]);
    if (change?.leftOut === true) return [];
    return [
      row.map((field, place) => {
        if (place === referenceField) return change?.newReference ?? field;
        return place === settledField ? (change?.settled ?? field) : field;
      }),
    ];
  });
  const settled = changed.map((row) => minor(row[settledField] ?? ""));
  const sum = (amounts: readonly bigint[]) => amounts.reduce((total, amount) => total + amount, 0n);
  const trailer = trailerLine({
    rows: changed.length,
    debits: sum(settled.filter((amount) => amount > 0n)),
    credits: sum(settled.filter((amount) => amount < 0n)),
  });
  const head = header.replace(/[0-9]+$/u, String(changed.length));
  return `${[head, ...changed.map((row) => row.join(","))].join("\n")}\n${trailer}`;
}
