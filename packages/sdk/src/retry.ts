import { ApiError, ConnectionError } from "./errors.ts";

/** Whether a call may be made again when it is unknown what became of it. */
export type Repeatable = "safe" | "when_refused";

const codes = { systemError: 1001, tooFrequent: 1009 } as const;
/** First wait at most, doubled each time up to the longest. */
const firstWaitMs = 200;
const waitMsMax = 5_000;

/**
 * How long to wait before the call may be made again, or null when it may not be. A call that was too frequent (1009) was not
 * looked at, so that any kind may come again; after a broken connection or a failed platform only those may whose repeat
 * does nothing. Waits are random, so that many clients do not come back together, and never shorter than what the platform
 * asks for.
 */
export function waitBeforeRepeat(
  error: unknown,
  { repeatable, tries }: { readonly repeatable: Repeatable; readonly tries: number },
): number | null {
  const jitteredMs = Math.random() * Math.min(firstWaitMs * 2 ** tries, waitMsMax);
  if (error instanceof ApiError) {
    const mayRepeat = error.code === codes.tooFrequent || (repeatable === "safe" && isFailure(error));
    return mayRepeat ? (error.retryAfterMs ?? 0) + jitteredMs : null;
  }
  return error instanceof ConnectionError && repeatable === "safe" ? jitteredMs : null;
}

function isFailure({ code, httpStatus }: ApiError): boolean {
  return code === codes.systemError || httpStatus === 429 || httpStatus >= 500;
}
