import { styleText } from "node:util";
import { type Progress, startProgress } from "./progress.ts";
import { type Cell, type Column, recordText, type Table, tableText } from "./table.ts";
import { onOneLine } from "./width.ts";

/** A stream of the process, as far as it matters here. */
export interface Stream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface OutputOptions {
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly json: boolean;
  readonly colour: boolean;
  /** Minutes by which the shown times are ahead of UTC. */
  readonly offsetMinutes: number;
}

export type Colour = "red" | "green" | "yellow" | "dim" | "bold" | "cyan";

/** Results go to stdout and nothing else does; whatever is said beside them goes to stderr. */
export interface Output {
  readonly json: boolean;
  readonly colour: boolean;
  readonly offsetMinutes: number;
  /** A line of the result. */
  line(text?: string): void;
  /** Text of the result as it is. */
  raw(text: string): void;
  /** The result as one JSON value. */
  value(value: unknown): void;
  table(columns: readonly Column[], rows: Table["rows"]): void;
  record(lines: readonly (readonly [string, string | Cell])[]): void;
  heading(text: string): void;
  /** A sentence beside the result. */
  note(text: string): void;
  warn(text: string): void;
  /** For what may take longer than a second. */
  progress(what: string): Progress;
  paint(colour: Colour, text: string): string;
  /** A cell whose colour tells how it stands: `Activated` green, `Fail` red. */
  state(text: string): Cell;
}

const widthMin = 40;
const good = new Set(["Activated", "Approved", "Success", "Delivered", "Active", "passed", "approved", "yes"]);
const bad = new Set(["Fail", "Rejected", "Delete", "Given_up", "Paused", "failed", "no"]);

export function createOutput(options: OutputOptions): Output {
  const { stdout, stderr, json, colour, offsetMinutes } = options;
  const paint = (format: Colour, text: string): string =>
    colour ? styleText(format, text, { validateStream: false }) : text;
  const title = (text: string): string => paint("dim", text);
  const width = stdout.isTTY === true ? Math.max(widthMin, stdout.columns ?? 80) : null;
  const raw = (text: string): void => void stdout.write(text);
  return {
    json,
    colour,
    offsetMinutes,
    raw,
    line: (text = "") => raw(`${text}\n`),
    value: (value) => raw(`${JSON.stringify(value, undefined, stdout.isTTY === true ? 2 : undefined)}\n`),
    table: (columns, rows) => raw(tableText({ columns, rows: rows.map((row) => row.map(plain)) }, { width, title })),
    record: (lines) =>
      raw(
        recordText(
          lines.map(([name, value]) => [name, plain(value)]),
          { title },
        ),
      ),
    heading: (text) => raw(`\n${paint("bold", text)}\n`),
    note: (text) => void stderr.write(`${text}\n`),
    warn: (text) => void stderr.write(`${paint("yellow", "warning:")} ${text}\n`),
    progress: (what) => startProgress({ stream: stderr, what, colour }),
    paint,
    state: (text) => {
      if (good.has(text)) return { text, paint: (cut) => paint("green", cut) };
      return bad.has(text) ? { text, paint: (cut) => paint("red", cut) } : { text };
    },
  };
}

const plain = (cell: string | Cell): Cell =>
  typeof cell === "string" ? { text: onOneLine(cell) } : { ...cell, text: onOneLine(cell.text) };
