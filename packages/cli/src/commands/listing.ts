import type { CountFlag, Flags, Switch, TextFlag } from "../command/command.ts";
import type { Context } from "../command/context.ts";
import { type Moment, periodOf } from "../input/times.ts";
import type { Cell } from "../output/table.ts";

/** Rows of a page on the wire. */
export const pageSizeMax = 100;
const limitDefault = 50;
/** A list of more rows is the work of a program, not of a terminal. */
const limitMax = 100_000;

export const limitFlags = {
  limit: {
    kind: "count",
    value: "N",
    min: 1,
    max: limitMax,
    fallback: limitDefault,
    about: "rows at most; further pages are fetched as needed",
  } satisfies CountFlag,
  all: { kind: "switch", about: `all rows, up to ${limitMax}` } satisfies Switch,
} as const satisfies Flags;

export const periodFlags = {
  since: {
    kind: "text",
    value: "TIME",
    about:
      'begin of the period: 2026-11-26, "2026-11-26 07:36:28", or 12h ago as 12h; 30 days before its end when absent',
  } satisfies TextFlag,
  until: {
    kind: "text",
    value: "TIME",
    about: "end of the period, of the same forms; today when absent",
  } satisfies TextFlag,
} as const satisfies Flags;

export interface Limited {
  readonly limit: number;
  readonly all: boolean;
}

export const rowsWanted = ({ limit, all }: Limited): number => (all ? limitMax : limit);

/** `size` on the wire for so many rows. */
export const pageSizeFor = (flags: Limited): number => Math.min(pageSizeMax, rowsWanted(flags) + 1);

/** The period that a list is asked for, by the platform's clock: a sandbox's may be moved ahead of this machine's. */
export async function periodIn(
  context: Context,
  flags: { readonly since: string | undefined; readonly until: string | undefined },
): Promise<{ readonly start_time: string; readonly end_time: string }> {
  return periodOf(flags, await momentIn(context));
}

export async function momentIn(context: Context): Promise<Moment> {
  const { businessNow } = await context.session();
  return { nowMs: await businessNow(), offsetMinutes: context.out.offsetMinutes };
}

export interface ShownColumn<Row> {
  readonly title: string;
  readonly of: (row: Row) => string | Cell;
  readonly align?: "right";
  readonly shrinkTo?: number;
}

/** Shows rows as they come over the wire (`{"list":[…]}`) or as a table, up to the wanted number. */
export async function showList<Row>(
  context: Context,
  list: {
    readonly what: string;
    readonly rows: AsyncIterable<Row>;
    readonly columns: readonly ShownColumn<Row>[];
  } & Limited,
): Promise<void> {
  const { out, signal } = context;
  const wanted = rowsWanted(list);
  const rows: Row[] = [];
  let more = false;
  const progress = out.progress(`fetching ${list.what}`);
  try {
    for await (const row of list.rows) {
      signal.throwIfAborted();
      if (rows.length === wanted) {
        more = true;
        break;
      }
      rows.push(row);
      progress.at({ count: rows.length, of: list.all ? 0 : wanted });
    }
  } finally {
    progress.end();
  }
  if (out.json) {
    out.value({ list: rows });
  } else if (rows.length === 0) {
    out.note(`No ${list.what}.`);
  } else {
    showTable(context, list.columns, rows);
  }
  if (more) out.note(`There are more ${list.what}: --limit N or --all shows them.`);
}

export function showTable<Row>({ out }: Context, columns: readonly ShownColumn<Row>[], rows: readonly Row[]): void {
  out.table(
    columns,
    rows.map((row) => columns.map(({ of }) => of(row))),
  );
}
