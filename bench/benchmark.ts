import type { Progress } from "./progress.ts";

/** What a benchmark is run with. */
export interface BenchOptions {
  /** How long it may measure; building data comes on top. */
  readonly seconds: number;
  /** `decision` only: all load on one merchant's reserve. */
  readonly hot: boolean;
  /** Consumptions (`callbacks`: pushes) of the data, replacing the benchmark's own number; there is a card for every ten of them. */
  readonly rows: number | null;
  readonly profile: boolean;
  /** Where a benchmark's data goes that does not say so itself. In memory the disk of a shared machine is out of the picture. */
  readonly place: "disk" | "tmpfs";
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

/**
 * What a benchmark measured. The names are those of the `--json` line. `ratio` is value to baseline, or what the bar is about
 * when that is something else; `bar` is what is asked for.
 */
export interface BenchResult {
  readonly bench: string;
  readonly ok: boolean;
  readonly value: number;
  readonly baseline: number | null;
  readonly ratio: number | null;
  readonly bar: number;
  readonly unit: string;
  readonly p50_ms?: number;
  readonly p99_ms?: number;
  /** Everything else that was measured, one level deep, so that the table can show it. */
  readonly details: Readonly<Record<string, Detail>>;
}

export type Detail = number | string | boolean | readonly Detail[] | { readonly [name: string]: Detail };

export interface Benchmark {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  /** Measured for this long when `--seconds` is absent. */
  readonly seconds: number;
  readonly run: (options: BenchOptions) => Promise<BenchResult[]>;
}
