import type { Result } from "#kernel/index.ts";
import type { AskingEnd, AskOrder } from "./asking.ts";
import type { QuestionAnswer } from "./verdict.ts";

/** What thread-asker.ts and its thread say to each other. */
export interface NumberedOrder {
  readonly number: number;
  readonly order: AskOrder;
}

/** What became of an order: its answer, that it is over, or both at once. */
export interface AskReport {
  readonly number: number;
  readonly answer: Result<QuestionAnswer, string> | null;
  readonly end: AskingEnd | null;
  /** What was thrown, where a question could not be asked by a bug of ours. */
  readonly bug?: string;
}

/** The thread's `workerData`. */
export interface ThreadOptions {
  readonly allowPrivateAddresses: boolean;
}

export function isThreadOptions(value: unknown): value is ThreadOptions {
  return (
    typeof value === "object" && value !== null && typeof Reflect.get(value, "allowPrivateAddresses") === "boolean"
  );
}
