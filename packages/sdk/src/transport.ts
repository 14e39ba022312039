import { createAccessTokens } from "./access-token.ts";
import { answerOf, sandboxAnswerOf } from "./answer.ts";
import { ApiError, ConnectionError } from "./errors.ts";
import { bounded, exchange, type HttpAnswer } from "./exchange.ts";
import type { AccessToken } from "./generated/types.ts";
import { type CallOptions, type Settings, withCallOptions } from "./options.ts";
import { type Repeatable, waitBeforeRepeat } from "./retry.ts";
import { createServerClock, type ServerClock } from "./server-clock.ts";

export interface Call {
  readonly method: "GET" | "POST";
  /** From the root of the platform, path parameters encoded. */
  readonly path: string;
  readonly body?: object | undefined;
  readonly repeatable: Repeatable;
}

/** Makes calls. All throw ApiError and its kinds, ConnectionError, TimeoutError, or the reason of the caller's signal. */
export interface Transport {
  /** With Access-Token and Timestamp; answers the envelope's `data`. */
  call<Data>(call: Call, options: CallOptions | undefined): Promise<Data>;
  /** With the Api-Key alone; answers the JSON. */
  sandboxCall<Data>(call: Call, options: CallOptions | undefined): Promise<Data>;
  /** The answer's bytes as they come, with the Api-Key alone; bounded until the answer begins. */
  sandboxStream(path: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  accessToken(options: CallOptions | undefined): Promise<string>;
}

const codes = { timestampInvalid: 1005, tokenRequired: 1006, tokenInvalid: 1007 } as const;
/** As often as the clock has another time to offer. */
const clockRefusalsMax = 3;
const tokenPath = "/open-api/v1/merchant/token";

interface Deps {
  readonly settings: Settings;
  readonly clock: ServerClock;
}

export function createTransport(settings: Settings): Transport {
  const clock = createServerClock(settings.now);
  const deps: Deps = { settings, clock };
  const tokens = createAccessTokens({
    now: () => clock.now(),
    // Without a Timestamp, which is not asked for here: the answer's `Date` sets the clock for all other calls.
    fetchToken: () =>
      repeated(settings, "safe", (timeoutMs) =>
        makeCall<AccessToken>(
          deps,
          { method: "GET", path: tokenPath },
          { settings, timeoutMs, headers: {}, read: answerOf },
        ),
      ),
  });
  const tokenWithin = (settings: Settings, signal: AbortSignal | undefined): Promise<string> =>
    bounded({ call: `GET ${tokenPath}`, timeoutMs: settings.totalTimeoutMs, signal }, () => tokens.current());
  return {
    accessToken: (options = {}) => tokenWithin(withCallOptions(settings, options), options.signal),
    sandboxStream: (path, signal) => openStream(settings, path, signal),
    sandboxCall: <Data>(call: Call, options: CallOptions = {}) => {
      const own = withCallOptions(settings, options);
      return repeated(
        own,
        call.repeatable,
        (timeoutMs) =>
          makeCall<Data>(deps, call, {
            settings: own,
            timeoutMs,
            headers: {},
            signal: options.signal,
            read: sandboxAnswerOf,
          }),
        options.signal,
      );
    },
    call: async <Data>(call: Call, options: CallOptions = {}) => {
      const own = withCallOptions(settings, options);
      const { signal } = options;
      const startedMs = performance.now();
      let mayRenew = true;
      for (let clockRefusals = 0; ; ) {
        const token = await tokenWithin(leftOf(own, startedMs), signal);
        try {
          return await repeated(
            leftOf(own, startedMs),
            call.repeatable,
            (timeoutMs) => timedCall<Data>(deps, call, { settings: own, timeoutMs, token, signal, read: answerOf }),
            signal,
          );
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          // None of these was looked at any further by the platform, so that every kind of call may come again.
          if (error.code === codes.timestampInvalid && clockRefusals < clockRefusalsMax) {
            clockRefusals += 1;
          } else if ((error.code === codes.tokenInvalid || error.code === codes.tokenRequired) && mayRenew) {
            mayRenew = false;
            tokens.drop(token);
          } else {
            throw error;
          }
        }
      }
    },
  };
}

/** What is left of the total time. */
function leftOf(settings: Settings, startedMs: number): Settings {
  const totalTimeoutMs = Math.max(1, settings.totalTimeoutMs - (performance.now() - startedMs));
  return { ...settings, totalTimeoutMs };
}

/** Makes a try after another while a repeat is safe and time is left. */
async function repeated<Value>(
  settings: Settings,
  repeatable: Repeatable,
  attempt: (timeoutMs: number) => Promise<Value>,
  signal?: AbortSignal,
): Promise<Value> {
  const endsAtMs = performance.now() + settings.totalTimeoutMs;
  for (let tries = 0; ; tries += 1) {
    try {
      return await attempt(Math.max(1, Math.min(settings.timeoutMs, endsAtMs - performance.now())));
    } catch (error) {
      const waitMs = tries < settings.retriesMax ? waitBeforeRepeat(error, { repeatable, tries }) : null;
      if (waitMs === null || performance.now() + waitMs >= endsAtMs) throw error;
      await pause(waitMs, signal);
    }
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const aborted = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }, ms);
    signal?.addEventListener("abort", aborted, { once: true });
  });
}

async function openStream(
  { baseUrl, apiKey, timeoutMs, fetch }: Settings,
  path: string,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const call = `GET ${path}`;
  const response = await bounded({ call, timeoutMs, signal }, () =>
    fetch(baseUrl + path, { headers: { "Api-Key": apiKey }, redirect: "manual", signal }),
  );
  if (response.status === 200 && response.body !== null) return response.body;
  const { status, headers } = response;
  const text = await bounded({ call, timeoutMs, signal }, () => response.text());
  // Throws what the platform refused with.
  sandboxAnswerOf({ status, headers, text }, call);
  throw new ConnectionError(call, "the answer is no stream");
}

interface Attempt {
  readonly settings: Settings;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly read: (answer: HttpAnswer, call: string) => unknown;
}

async function timedCall<Data>(deps: Deps, call: Call, attempt: Attempt & { readonly token: string }): Promise<Data> {
  const sentAtMs = deps.settings.now();
  const timestampMs = deps.clock.now();
  const headers = { Timestamp: String(Math.floor(timestampMs)), "Access-Token": attempt.token };
  try {
    return await makeCall(deps, call, { ...attempt, headers });
  } catch (error) {
    if (error instanceof ApiError && error.code === codes.timestampInvalid) {
      deps.clock.refused({ timestampMs, sentAtMs });
    }
    throw error;
  }
}

async function makeCall<Data>(
  { settings: { baseUrl, apiKey, fetch, now }, clock }: Deps,
  { method, path, body }: Pick<Call, "method" | "path" | "body">,
  { settings, timeoutMs, signal, headers, read }: Attempt & { readonly headers: Readonly<Record<string, string>> },
): Promise<Data> {
  const call = `${method} ${path}`;
  const sentAtMs = now();
  const answer = await exchange(
    {
      call,
      url: baseUrl + path,
      method,
      headers: {
        "Api-Key": apiKey,
        "Content-Type": "application/json",
        Language: settings.language,
        ...(settings.timezone !== undefined && { Timezone: settings.timezone }),
        ...headers,
      },
      body: body === undefined ? undefined : JSON.stringify(body),
      timeoutMs,
      signal,
    },
    fetch,
  );
  clock.learn({ date: answer.headers.get("date"), sentAtMs, receivedAtMs: now() });
  // The contract's own type; the platform is not checked field by field by its own client.
  return read(answer, call) as Data;
}
