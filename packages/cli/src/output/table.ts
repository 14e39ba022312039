import { fit, padLeftTo, padTo, widthOf } from "./width.ts";

export interface Column {
  readonly title: string;
  /** Amounts and counts stand at the right. */
  readonly align?: "right";
  /** May be cut to this many columns when the terminal is narrow; a column without it is never cut. */
  readonly shrinkTo?: number;
}

export type Paint = (text: string) => string;

export interface Cell {
  readonly text: string;
  /** Applied behind cutting and padding, which count letters. */
  readonly paint?: Paint;
}

export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly (string | Cell)[])[];
}

export interface TableStyle {
  /** Columns of the terminal; null where nobody looks: nothing is cut, so that `grep` finds everything. */
  readonly width: number | null;
  readonly title: Paint;
}

const gap = 2;
const cellOf = (cell: string | Cell | undefined): Cell => (typeof cell === "object" ? cell : { text: cell ?? "" });

/** Lines without a frame, each ended by a line break. What does not fit is cut, the widest column that may be first. */
export function tableText(table: Table, style: TableStyle): string {
  const rows = table.rows.map((row) => table.columns.map((_, place) => cellOf(row[place])));
  const widths = widthsOf(table.columns, { rows, width: style.width });
  const line = (cells: readonly Cell[], head: Paint | null): string =>
    cells
      .map(({ text, paint }, place) => {
        const isRight = table.columns[place]?.align === "right";
        const columns = widths[place] ?? 0;
        const cut = fit(text, columns);
        const isLast = place === cells.length - 1 && !isRight;
        const padded = isLast ? cut : isRight ? padLeftTo(cut, columns) : padTo(cut, columns);
        const painting = head ?? paint;
        // The letters only: a blank that is underlined or coloured looks like an accident.
        return painting === undefined || cut === "" ? padded : padded.replace(cut, () => painting(cut));
      })
      .join(" ".repeat(gap))
      .trimEnd();
  const titles = table.columns.map(({ title }) => ({ text: title }));
  return [line(titles, style.title), ...rows.map((row) => line(row, null))].map((text) => `${text}\n`).join("");
}

function widthsOf(
  columns: readonly Column[],
  { rows, width }: { readonly rows: readonly (readonly Cell[])[]; readonly width: number | null },
): number[] {
  const widths = columns.map(({ title }, place) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[place]?.text ?? ""))),
  );
  const available = width === null ? Number.POSITIVE_INFINITY : width - gap * (columns.length - 1);
  const least = columns.map(({ title, shrinkTo }, place) =>
    shrinkTo === undefined ? (widths[place] ?? 0) : Math.max(shrinkTo, widthOf(title)),
  );
  for (let excess = sum(widths) - available; excess > 0; excess -= 1) {
    const room = widths.map((present, place) => (present > (least[place] ?? 0) ? present : -1));
    const widest = room.indexOf(Math.max(...room));
    if ((room[widest] ?? -1) < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** `name  value` lines for one thing. */
export function recordText(
  lines: readonly (readonly [name: string, value: string | Cell])[],
  { title }: Pick<TableStyle, "title">,
): string {
  const left = Math.max(0, ...lines.map(([name]) => widthOf(name)));
  return lines
    .map(([name, value]) => {
      const { text, paint } = cellOf(value);
      return `${title(name)}${" ".repeat(left - widthOf(name) + gap)}${paint === undefined ? text : paint(text)}`.trimEnd();
    })
    .map((line) => `${line}\n`)
    .join("");
}
