/** `Open`: waiting or being tried; the other two are final until somebody sends the push again. */
export type CallbackState = "Open" | "Delivered" | "GivenUp";

/** A push as an operator or its merchant sees it; times in Unix ms of business time. */
export interface CallbackEntry {
  readonly merchantId: number;
  readonly callbackId: string;
  readonly cardNo: string;
  /** The consumption it is about; empty for any other push. */
  readonly consumeNo: string;
  readonly sequence: number;
  readonly action: "Consumption" | "Card_update";
  readonly dataText: string;
  readonly state: CallbackState;
  readonly createdAtMs: number;
  /** The next try is not before this moment; of a finished push, the moment that its last try was due. */
  readonly dueAtMs: number;
  /** Tries begun, ever. */
  readonly attempts: number;
  readonly firstFailedAtMs: number | null;
  readonly finishedAtMs: number | null;
  /** Why the latest try was not good; empty when it was, or when there was none. */
  readonly lastError: string;
}

export interface CallbackFilter {
  readonly merchantId: number;
  readonly cardNo?: string;
  readonly consumeNo?: string;
  readonly action?: "Consumption" | "Card_update";
  readonly state?: CallbackState;
  /** When the push was made. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** The `callbackId` of the last entry of the page before. */
  readonly before?: string;
  /** 1 to 100; 100 when absent. */
  readonly limit?: number;
}

export interface CallbackAttempt {
  /** Counts up for each push from 1. One may be missing: its process died before it could write. */
  readonly attempt: number;
  readonly attemptedAtMs: number;
  readonly durationMs: number;
  readonly httpStatus: number | null;
  /** The first 4 KB of the answer. */
  readonly answer: string;
  /** Why the try was not good; empty when it was. */
  readonly error: string;
}

export interface CallbackKey {
  readonly merchantId: number;
  readonly callbackId: string;
}
