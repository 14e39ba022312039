import type { ErrorName } from "@cardwright/contract";
import { type Refused, type Result, refused } from "#kernel/index.ts";

/** Why a call is refused: a code of contract section 5, with the wrong field where there is one. */
export interface Fault {
  readonly name: ErrorName;
  /** Dotted path, as the message shows it. */
  readonly field?: string;
  /** Whole seconds; with 1009 only. */
  readonly retryAfterSeconds?: number;
}

/** What an endpoint answers: the envelope's `data`, or a fault. */
export type Answer<Data> = Result<Data, Fault>;

export function fail(name: ErrorName, field?: string): Refused<Fault> {
  return refused(field === undefined ? { name } : { name, field });
}
