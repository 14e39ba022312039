export type Language = "en_US" | "zh_CN";

export interface CardwrightOptions {
  /** Origin of the platform, such as `https://cards.example.com`; a path in it is kept in front of every call's own. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Encrypts CVV and PIN, decrypts private data, verifies callbacks: 32 characters. */
  readonly apiSecret?: string | undefined;
  /** Needed to verify callbacks. */
  readonly appId?: string | undefined;
  /** `whsec_…`, all that are good at the moment: two while one is being changed, 10 at most. */
  readonly webhookSecrets?: readonly string[] | undefined;
  /** Of `msg` in errors; English unless told. */
  readonly language?: Language | undefined;
  /** Zone of `start_time` and `end_time` in lists: `UTC+8` (what the platform takes when absent), `UTC-5`, `UTC+05:30`. */
  readonly timezone?: string | undefined;
  /** Of one try, from 1 to 300,000; 10,000 unless told. */
  readonly timeoutMs?: number | undefined;
  /** Of a call with all its tries and waits, from 1 to 900,000; 30,000 unless told. */
  readonly totalTimeoutMs?: number | undefined;
  /** Tries after the first, where a repeat is safe; from 0 to 10, 3 unless told. */
  readonly retriesMax?: number | undefined;
  /** Used instead of the global `fetch`. */
  readonly fetch?: FetchLike | undefined;
  /** Used instead of `Date.now`: Unix ms. */
  readonly now?: (() => number) | undefined;
}

/** What of `fetch` the client needs. */
export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

/** Of a single call, instead of the client's own. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
  readonly totalTimeoutMs?: number | undefined;
  readonly retriesMax?: number | undefined;
  readonly language?: Language | undefined;
  readonly timezone?: string | undefined;
}

export interface Settings {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly language: Language;
  readonly timezone: string | undefined;
  readonly timeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly retriesMax: number;
  readonly fetch: FetchLike;
  readonly now: () => number;
}

/** Half an hour would be no time-out any more; what takes so long is broken. */
const timeoutMsMax = 300_000;
const totalTimeoutMsMax = 900_000;
/** With the waits between them, ten tries are more than the total time allows. */
const retriesLimit = 10;

/** Throws a TypeError or RangeError for what cannot work, before the first call does. */
export function settingsOf(options: CardwrightOptions): Settings {
  if (typeof options.apiKey !== "string" || options.apiKey === "") throw new TypeError("apiKey is needed");
  return {
    baseUrl: baseUrlOf(options.baseUrl),
    apiKey: options.apiKey,
    language: options.language ?? "en_US",
    timezone: options.timezone,
    timeoutMs: within("timeoutMs", options.timeoutMs ?? 10_000, { min: 1, max: timeoutMsMax }),
    totalTimeoutMs: within("totalTimeoutMs", options.totalTimeoutMs ?? 30_000, { min: 1, max: totalTimeoutMsMax }),
    retriesMax: within("retriesMax", options.retriesMax ?? 3, { min: 0, max: retriesLimit }),
    // Called through the global, so that one who replaces it later (a test, a tracer) is heard.
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    now: options.now ?? Date.now,
  };
}

/** The settings of one call. */
export function withCallOptions(settings: Settings, options: CallOptions): Settings {
  return {
    ...settings,
    language: options.language ?? settings.language,
    timezone: options.timezone ?? settings.timezone,
    timeoutMs: within("timeoutMs", options.timeoutMs ?? settings.timeoutMs, { min: 1, max: timeoutMsMax }),
    totalTimeoutMs: within("totalTimeoutMs", options.totalTimeoutMs ?? settings.totalTimeoutMs, {
      min: 1,
      max: totalTimeoutMsMax,
    }),
    retriesMax: within("retriesMax", options.retriesMax ?? settings.retriesMax, { min: 0, max: retriesLimit }),
  };
}

function baseUrlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new TypeError("baseUrl must be an http or https URL");
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new TypeError("baseUrl must have no user name, query or fragment");
  }
  return url.href.replace(/\/+$/u, "");
}

/** A whole number within its bounds, or a RangeError that names the option. */
export function within(name: string, value: number, bounds: { readonly min: number; readonly max: number }): number {
  if (!Number.isInteger(value) || value < bounds.min || value > bounds.max) {
    throw new RangeError(`${name} must be a whole number from ${bounds.min} to ${bounds.max}, not ${value}`);
  }
  return value;
}
