import { parseArgs } from "node:util";
import { ok, type Result, refused } from "../apps/server/src/kernel/index.ts";

/** What the person at the terminal asked for. */
export interface Command {
  /** In the order given; all when none is. */
  readonly names: readonly string[];
  readonly seconds: number | null;
  readonly json: boolean;
  readonly hot: boolean;
  readonly rows: number | null;
  readonly profile: boolean;
  readonly tmpfs: boolean;
  readonly help: boolean;
}

const secondsMax = 3_600;
const rowsMax = 50_000_000;

/** Reads the words after `npm run bench --`. Refuses with one sentence. */
export function readCommand(words: readonly string[], known: readonly string[]): Result<Command, string> {
  const parsed = parsedWords(words);
  if (!parsed.ok) {
    return parsed;
  }
  const { values, positionals } = parsed.value;
  const unknown = positionals.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    return refused(`there is no benchmark "${unknown}": ${known.join(", ")}`);
  }
  const seconds = wholeNumber(values.seconds, secondsMax);
  const rows = wholeNumber(values.rows, rowsMax);
  if (seconds === undefined) {
    return refused(`--seconds must be a number from 1 to ${secondsMax}`);
  }
  if (rows === undefined) {
    return refused(`--rows must be a number from 1 to ${rowsMax}`);
  }
  const { json, hot, profile, tmpfs, help } = values;
  return ok({ names: positionals.length > 0 ? positionals : known, seconds, rows, json, hot, profile, tmpfs, help });
}

function parsedWords(words: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        seconds: { type: "string" },
        rows: { type: "string" },
        json: { type: "boolean", default: false },
        hot: { type: "boolean", default: false },
        profile: { type: "boolean", default: false },
        tmpfs: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return ok({ values, positionals });
  } catch (error) {
    return refused(error instanceof Error ? error.message : "these words cannot be read");
  }
}

/** Null when absent, undefined when it is not a number from 1 to `max`. */
function wholeNumber(text: string | undefined, max: number): number | null | undefined {
  if (text === undefined) {
    return null;
  }
  const value = Number(text);
  return Number.isInteger(value) && value >= 1 && value <= max ? value : undefined;
}
