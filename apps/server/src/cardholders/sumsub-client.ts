import { setTimeout as sleep } from "node:timers/promises";
import { Pool } from "undici";
import { z } from "zod";
import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import type { Applicant, FetchRefusal, ImportRefusal, KycProvider } from "./kyc-provider.ts";
import { readApplicant } from "./sumsub-applicant.ts";
import { signRequest } from "./sumsub-signature.ts";
import { applicantIdForm, parseJson, readSumsubWebhook } from "./sumsub-webhook.ts";

export interface SumsubOptions {
  /** Scheme, host and, if need be, a path in front: `https://api.sumsub.com`. */
  readonly baseUrl: string;
  readonly appToken: string;
  readonly secret: string;
  /** The secret of the webhook in Sumsub's webhook manager, which is not the one requests are signed with. */
  readonly webhookSecret: string;
  readonly clock: Clock;
  /** One try, from connecting to the last byte. */
  readonly tryTimeoutMs?: number;
  readonly retryWaitMs?: number;
}

export interface SumsubClient extends KycProvider {
  /** Ends the connections; calls in flight are `unreachable`. */
  close(): Promise<void>;
}

interface Deps {
  readonly http: Pool;
  readonly basePath: string;
  readonly options: SumsubOptions;
  readonly tryTimeoutMs: number;
  readonly retryWaitMs: number;
}

const tryTimeoutMsDefault = 10_000;
const retryWaitMsDefault = 200;
const triesMax = 3;
/** With less than this left no other try is begun. Timers end up to a millisecond early, too, and would leave that much of a budget. */
const tryMsMin = 20;
const connectionsMax = 8;
/** An applicant with all its documents listed is some 20 KB. */
const answerBytesMax = 256 * 1024;

/** Client of Sumsub's API. Redirects are not followed: undici's `request` does not, and a signature covers one path only. */
export function createSumsubClient(options: SumsubOptions): SumsubClient {
  const base = new URL(options.baseUrl);
  const tryTimeoutMs = options.tryTimeoutMs ?? tryTimeoutMsDefault;
  const deps: Deps = {
    http: new Pool(base.origin, {
      connections: connectionsMax,
      maxResponseSize: answerBytesMax,
      connect: { timeout: tryTimeoutMs },
    }),
    basePath: base.pathname.replace(/\/+$/u, ""),
    options,
    tryTimeoutMs,
    retryWaitMs: options.retryWaitMs ?? retryWaitMsDefault,
  };
  return {
    importApplicant: (input) => importApplicant(deps, input),
    fetchApplicant: (input) => fetchApplicant(deps, input),
    readWebhook: (input) => readSumsubWebhook({ secret: options.webhookSecret, ...input }),
    close: () => deps.http.destroy(),
  };
}

const importAnswer = z.object({ id: z.string().regex(applicantIdForm) });

async function importApplicant(
  deps: Deps,
  { shareToken }: { shareToken: string },
): Promise<Result<{ applicantId: string }, ImportRefusal>> {
  const path = `/resources/applicants/-/import?shareToken=${encodeURIComponent(shareToken)}`;
  const answer = await send(deps, { method: "POST", path, timeoutMs: deps.tryTimeoutMs });
  if (answer === null || isPassing(answer.status)) return refused("unreachable");
  if (answer.status >= 400) return refused("token_refused");
  const body = importAnswer.safeParse(answer.json);
  return answer.status < 300 && body.success ? ok({ applicantId: body.data.id }) : refused("unreachable");
}

async function fetchApplicant(
  deps: Deps,
  { applicantId, budgetMs }: { applicantId: string; budgetMs: number },
): Promise<Result<Applicant, FetchRefusal>> {
  const path = `/resources/applicants/${encodeURIComponent(applicantId)}/one`;
  const endsAt = performance.now() + budgetMs;
  for (let tries = 1; tries <= triesMax; tries += 1) {
    const timeoutMs = Math.min(deps.tryTimeoutMs, endsAt - performance.now());
    if (timeoutMs <= 0) break;
    const answer = await send(deps, { method: "GET", path, timeoutMs });
    if (answer !== null && !isPassing(answer.status)) return applicantOf(answer);
    const waitMs = deps.retryWaitMs * 2 ** (tries - 1) * (0.5 + Math.random());
    if (tries === triesMax || performance.now() + waitMs + tryMsMin >= endsAt) break;
    await sleep(waitMs);
  }
  return refused("unreachable");
}

function applicantOf({ status, json }: Answer): Result<Applicant, FetchRefusal> {
  if (status === 404) return refused("not_found");
  if (status === 401 || status === 403) return refused("unauthorized");
  const applicant = status === 200 ? readApplicant(json) : null;
  return applicant === null ? refused("unreachable") : ok(applicant);
}

/** Worth another try: too many requests, or trouble on their side. */
function isPassing(status: number): boolean {
  return status === 429 || status >= 500;
}

interface Answer {
  readonly status: number;
  readonly json: unknown;
}

/**
 * One signed request; null when no whole answer came in time. undici's own time-outs are off by up to half a second, so an
 * AbortController ends the call. Errors are not passed on: their texts may contain the path, and with it a share token.
 */
async function send(
  deps: Deps,
  { method, path, timeoutMs }: { method: "GET" | "POST"; path: string; timeoutMs: number },
): Promise<Answer | null> {
  const { appToken, secret, clock } = deps.options;
  const pathAndQuery = `${deps.basePath}${path}`;
  const timestampSeconds = Math.floor(clock.now() / 1000);
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), timeoutMs);
  try {
    const answer = await deps.http.request({
      method,
      path: pathAndQuery,
      signal: abort.signal,
      headers: {
        accept: "application/json",
        "x-app-token": appToken,
        "x-app-access-ts": String(timestampSeconds),
        "x-app-access-sig": signRequest({ secret, timestampSeconds, method, pathAndQuery, body: "" }),
      },
    });
    return { status: answer.statusCode, json: parseJson(await answer.body.text()) };
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}
