import type { Books } from "./books.ts";
import type { Desk } from "./desk.ts";
import type { LatencyLog } from "./latency.ts";
import type { Mode } from "./options.ts";
import type { Answer } from "./wire/answer.ts";

export const groups = [
  "connection",
  "signature",
  "auth",
  "push",
  "booking",
  "order",
  "timeout",
  "amounts",
  "text",
  "tolerance",
  "concurrency",
  "load",
] as const;
export type Group = (typeof groups)[number];

/**
 * How far a failure lowers the grade: `vital` to F, `security` and `money` to D, `contract` to C, `minor` to B.
 */
export type Weight = "vital" | "security" | "money" | "contract" | "minor";

/**
 * What must hold before a check says anything: the endpoint answers at all, takes what is rightly signed, or lets us see the
 * money of the card. `money` holds by itself in credit mode, where nobody is asked.
 */
export type Need = "reachable" | "accepted" | "books" | "money";

/** `ok: null`: there was nothing to judge. */
export interface Verdict {
  readonly ok: boolean | null;
  readonly saw: string;
  /** The grader's own machine was too slow to tell. */
  readonly isOwnFault?: true;
}

/** What a check works with. */
export interface Bench {
  readonly desk: Desk;
  readonly books: Books;
  readonly latency: LatencyLog;
  /** Answers to one question that money covers and to one that it does not, asked once for all checks of their form. */
  readonly samples: () => Promise<Samples>;
  /** Tries once more to reverse or refund what earlier checks could not. */
  readonly giveBackRest: () => Promise<void>;
}

export interface Samples {
  readonly approved: Answer;
  readonly declined: Answer;
  readonly consumption: Answer;
  readonly cardUpdate: Answer;
}

export interface Check {
  /** Stable: `group.name`. */
  readonly id: string;
  readonly group: Group;
  readonly title: string;
  readonly weight: Weight;
  /** Absent: both. */
  readonly mode?: Mode;
  readonly needs: readonly Need[];
  /** One sentence: what a pass proves. */
  readonly proves: string;
  /** One or two sentences: what to change when it fails. */
  readonly mend: string;
  /** Of real time; 20 s when absent. */
  readonly msMax?: number;
  readonly run: (bench: Bench) => Promise<Verdict>;
}

export function passed(saw: string): Verdict {
  return { ok: true, saw };
}

export function failed(saw: string): Verdict {
  return { ok: false, saw };
}

/** The grader's own machine was too slow to tell. */
export function tooBusyToJudge(saw: string): Verdict {
  return { ok: null, saw, isOwnFault: true };
}

export function nothingToJudge(saw: string): Verdict {
  return { ok: null, saw };
}
