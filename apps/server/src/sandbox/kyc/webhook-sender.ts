import { createHmac, randomUUID } from "node:crypto";
import { request } from "undici";
import type { Clock } from "#kernel/index.ts";
import type { Review } from "./outcomes.ts";
import type { Timeline } from "./timeline.ts";

export const digestAlgorithms = {
  HMAC_SHA1_HEX: "sha1",
  HMAC_SHA256_HEX: "sha256",
  HMAC_SHA512_HEX: "sha512",
} as const;
export type DigestAlgorithm = keyof typeof digestAlgorithms;

export interface WebhookOptions {
  readonly url: () => string;
  readonly secret: string;
  readonly digestAlgorithm: DigestAlgorithm;
  /** Waits before each repetition, on the sandbox's clock. */
  readonly retryWaitsMs: readonly number[];
}

/** One try, as the sandbox's user sees it. */
export interface WebhookTry {
  readonly type: string;
  readonly applicantId: string;
  readonly tryNo: number;
  readonly at: number;
  /** null: no answer. */
  readonly status: number | null;
}

export interface WebhookSender {
  send(event: { type: string; applicantId: string; review: Review }): void;
  readonly tries: readonly WebhookTry[];
  stop(): Promise<void>;
}

/** Sumsub repeats a webhook four times: after 5 minutes, 1 hour, 5 hours and 18 hours. */
export const sumsubRetryWaitsMs = [5 * 60_000, 3_600_000, 5 * 3_600_000, 18 * 3_600_000];
/** Sumsub waits 10 s for an answer. */
const answerTimeoutMs = 10_000;
const triesKeptMax = 1_000;

export function createWebhookSender(deps: {
  options: WebhookOptions;
  clock: Clock;
  timeline: Timeline;
}): WebhookSender {
  const { options, clock, timeline } = deps;
  const tries: WebhookTry[] = [];
  const running = new Set<Promise<void>>();
  const stopping = new AbortController();

  const deliver = async (input: { type: string; applicantId: string; body: string; tryNo: number }): Promise<void> => {
    const { type, applicantId, body, tryNo } = input;
    const at = clock.now();
    const status = await post({ options, body, signal: stopping.signal });
    tries.push({ type, applicantId, tryNo, at, status });
    if (tries.length > triesKeptMax) tries.shift();
    const waitMs = options.retryWaitsMs[tryNo - 1];
    if (status !== null && status >= 200 && status < 300) return;
    if (waitMs !== undefined) timeline.at(at + waitMs, () => start({ ...input, tryNo: tryNo + 1 }));
  };
  const start = (input: { type: string; applicantId: string; body: string; tryNo: number }): void => {
    if (stopping.signal.aborted) return;
    const delivery = deliver(input).finally(() => running.delete(delivery));
    running.add(delivery);
  };
  return {
    tries,
    send({ type, applicantId, review }) {
      start({ type, applicantId, body: webhookBody({ type, applicantId, review, now: clock.now() }), tryNo: 1 });
    },
    async stop() {
      stopping.abort();
      await Promise.all(running);
    },
  };
}

function webhookBody(input: { type: string; applicantId: string; review: Review; now: number }): string {
  const { type, applicantId, review, now } = input;
  return JSON.stringify({
    applicantId,
    inspectionId: applicantId,
    correlationId: randomUUID().replaceAll("-", ""),
    levelName: "sandbox-kyc",
    externalUserId: `sandbox-${applicantId}`,
    type,
    sandboxMode: true,
    ...review,
    // Sumsub writes this field as a UTC text in spite of its name.
    createdAtMs: new Date(now).toISOString().replace("T", " ").replace("Z", ""),
    clientId: "cardwright-sandbox",
  });
}

async function post(input: { options: WebhookOptions; body: string; signal: AbortSignal }): Promise<number | null> {
  const { url, secret, digestAlgorithm } = input.options;
  try {
    const answer = await request(url(), {
      method: "POST",
      body: input.body,
      signal: AbortSignal.any([input.signal, AbortSignal.timeout(answerTimeoutMs)]),
      headers: {
        "content-type": "application/json",
        "x-payload-digest": createHmac(digestAlgorithms[digestAlgorithm], secret).update(input.body).digest("hex"),
        "x-payload-digest-alg": digestAlgorithm,
      },
    });
    await answer.body.dump();
    return answer.statusCode;
  } catch {
    return null;
  }
}
