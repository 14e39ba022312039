import { inspect, isDeepStrictEqual } from "node:util";

/** Counts what was checked and keeps what was not as it must be, one sentence each. */
export interface Checks {
  readonly count: number;
  readonly violations: readonly string[];
  /** `what` names the guarantee and of what it was looked at. */
  same(what: string, compared: { readonly found: unknown; readonly wanted: unknown }): void;
  /** `wrong` says what there should be nothing of; each of `rows` is one case of it. `outOf` were looked at. */
  none(wrong: string, rows: readonly string[], looked: { readonly outOf: number }): void;
}

/** One broken rule can be broken ten thousand times; the first ones tell it. */
const violationsKeptMax = 40;

export function createChecks(): Checks {
  const violations: string[] = [];
  let hidden = 0;
  const violate = (sentence: string): void => {
    if (violations.length < violationsKeptMax) violations.push(sentence);
    else hidden += 1;
  };
  const checks = {
    count: 0,
    get violations() {
      return hidden === 0 ? violations : [...violations, `and ${hidden} more`];
    },
    same: (what: string, { found, wanted }: { readonly found: unknown; readonly wanted: unknown }) => {
      checks.count += 1;
      if (!isDeepStrictEqual(found, wanted)) violate(`${what}: found ${shown(found)}, wanted ${shown(wanted)}`);
    },
    none: (wrong: string, rows: readonly string[], looked: { readonly outOf: number }) => {
      checks.count += looked.outOf;
      for (const row of rows) violate(`${wrong}: ${row}`);
    },
  };
  return checks;
}

const shown = (value: unknown): string => inspect(value, { depth: 5, breakLength: Number.POSITIVE_INFINITY });
