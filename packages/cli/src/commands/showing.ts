import type { Context } from "../command/context.ts";
import { timeText } from "../input/times.ts";
import type { Cell } from "../output/table.ts";

/** Names on the wire whose values are times: Unix ms. */
const timeNames = /(?:^time|_time|_at|_since)$/u;
const stateNames = new Set(["status", "state", "delivered", "paused"]);

/** An object of the wire: JSON as it is, or one line a name. Objects in it are shown with dotted names, lists as a table of their own. */
export function showObject(context: Context, value: object): void {
  const { out } = context;
  if (out.json) {
    out.value(value);
    return;
  }
  const entries = flatEntries(value);
  out.record(
    entries
      .filter(([, each]) => !isRows(each))
      .map(([name, each]) => [name, shownValue(context, { name, value: each })]),
  );
  for (const [name, each] of entries) {
    if (!isRows(each)) continue;
    out.heading(name);
    const names = [...new Set(each.flatMap((row) => Object.keys(row)))];
    out.table(
      names.map((title) => ({ title, shrinkTo: 8 })),
      each.map((row) => names.map((key) => shownValue(context, { name: key, value: Reflect.get(row, key) }))),
    );
  }
}

type Entry = readonly [name: string, value: unknown];

function flatEntries(value: object): readonly Entry[] {
  return Object.entries(value).flatMap(([name, each]: Entry): readonly Entry[] =>
    typeof each === "object" && each !== null && !Array.isArray(each)
      ? flatEntries(each).map(([inner, innerValue]) => [`${name}.${inner}`, innerValue])
      : [[name, each]],
  );
}

/** A list with objects; one of texts is shown in one line. */
const isRows = (value: unknown): value is readonly object[] =>
  Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === "object" && each !== null);

export function shownValue(
  { out }: Context,
  { name, value }: { readonly name: string; readonly value: unknown },
): string | Cell {
  if (typeof value === "number" && timeNames.test(name)) return timeText(value, out.offsetMinutes);
  if (typeof value === "boolean") return out.state(value ? "yes" : "no");
  if (Array.isArray(value)) return value.join(", ");
  const text = typeof value === "string" || typeof value === "number" ? String(value) : "";
  return stateNames.has(name) ? out.state(text) : text;
}

/** For tables: a time of the wire in the person's zone. */
export const timeIn = ({ out }: Context, ms: number): string => timeText(ms, out.offsetMinutes);
