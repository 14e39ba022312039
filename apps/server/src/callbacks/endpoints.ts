import type { Result } from "#kernel/index.ts";

/** Who stopped the deliveries; empty while they go on. */
export type PausedBy = "" | "failures" | "operator" | "merchant";

/** How a merchant's callback URL is doing; times in Unix ms of business time. */
export interface EndpointState {
  readonly state: "Active" | "Paused";
  readonly pausedBy: PausedBy;
  readonly pausedAtMs: number | null;
  /** Since then no try was good; `null` when the last one was, or there was none. */
  readonly failingSinceMs: number | null;
  /** Exact to a minute. */
  readonly lastSuccessAtMs: number | null;
  /** Exact to a minute. */
  readonly lastFailureAtMs: number | null;
  /** Pushes that wait or are being tried: counted up to 10,000. */
  readonly openCount: number;
  readonly openCountIsExact: boolean;
}

/** What came of a push that changes nothing and was sent to see whether the merchant's server takes it. */
export interface TestPush {
  readonly delivered: boolean;
  readonly httpStatus: number | null;
  /** Why it was not good; empty when it was. */
  readonly error: string;
  /** The first 4 KB of the answer. */
  readonly answer: string;
  readonly durationMs: number;
  /** It was good, and by that ended a pause that failures had caused. */
  readonly resumed: boolean;
}

/** The state of merchants' callback URLs, and what can be done about them by hand. */
export interface CallbackEndpoints {
  stateOf(merchantId: number): Promise<EndpointState>;
  /** Nothing is tried until somebody resumes; pushes queue up and do not run out of their 30 days. */
  pause(options: { readonly merchantId: number; readonly by: "operator" | "merchant" }): Promise<EndpointState>;
  /** What waits is due at once; what had failed begins a new schedule of retries. */
  resume(options: { readonly merchantId: number }): Promise<EndpointState>;
  /** Sends a test push now, also while the endpoint is paused. A success ends a pause that failures have caused. */
  sendTest(options: { readonly merchantId: number }): Promise<Result<TestPush, "no_callback_url">>;
}
