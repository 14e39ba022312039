import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Clock } from "#kernel/index.ts";
import { createApplicants, type SimulatedApplicant } from "./applicants.ts";
import { answerControlApi, type ControlApiDeps } from "./control-api.ts";
import { type KycOutcome, type Review, stepsOf } from "./outcomes.ts";
import {
  answerProviderApi,
  type ProviderApiDeps,
  refusal,
  type SimulatorAnswer,
  type SimulatorRequest,
  signatureFault,
} from "./provider-api.ts";
import { createShareTokens } from "./share-tokens.ts";
import { startTimeline } from "./timeline.ts";
import { createWebhookSender, type DigestAlgorithm, sumsubRetryWaitsMs } from "./webhook-sender.ts";

export interface KycSimulatorOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** 127.0.0.1 when absent: whoever reaches the simulator decides who is approved. */
  readonly host?: string;
  readonly appToken: string;
  readonly secret: string;
  readonly webhookSecret: string;
  /** Asked for each webhook: the receiver may take its port after this simulator has started. */
  readonly webhookUrl: () => string;
  readonly clock: Clock;
  /** Sandbox time from the import to the verdict; 0 when absent, which still comes after the answer to the import. */
  readonly reviewWaitMs?: number;
  /** Sandbox time from a `late-…` applicant's approval to its rejection; a minute when absent. */
  readonly lateChangeWaitMs?: number;
  /** Sumsub's own 5 minutes, 1, 5 and 18 hours when absent. */
  readonly webhookRetryWaitsMs?: readonly number[];
  readonly digestAlgorithm?: DigestAlgorithm;
}

export interface KycSimulator {
  readonly url: string;
  close(): Promise<void>;
}

const bodyBytesMax = 64 * 1024;
const lateChangeWaitMsDefault = 60_000;

/**
 * The other side of the KYC client: a server that speaks Sumsub's API, with share tokens that decide what becomes of the
 * applicant (`outcomes.ts`), and a few calls under `/simulator` that say it by hand.
 */
export async function startKycSimulator(options: KycSimulatorOptions): Promise<KycSimulator> {
  const { clock, appToken, secret } = options;
  const timeline = startTimeline(clock);
  const webhooks = createWebhookSender({
    clock,
    timeline,
    options: {
      url: options.webhookUrl,
      secret: options.webhookSecret,
      digestAlgorithm: options.digestAlgorithm ?? "HMAC_SHA256_HEX",
      retryWaitsMs: options.webhookRetryWaitsMs ?? sumsubRetryWaitsMs,
    },
  });
  const tell = (type: string, { id, review }: SimulatedApplicant): void =>
    webhooks.send({ type, applicantId: id, review });
  const onImported = (applicant: SimulatedApplicant, outcome: KycOutcome): void => {
    const now = clock.now();
    if (outcome !== "silent") timeline.at(now, () => tell("applicantCreated", applicant));
    const waits = {
      reviewMs: options.reviewWaitMs ?? 0,
      lateChangeMs: options.lateChangeWaitMs ?? lateChangeWaitMsDefault,
    };
    for (const { waitMs, review, webhook } of stepsOf(outcome, waits)) {
      timeline.at(now + waitMs, () => {
        applicant.review = review;
        if (webhook !== null) tell(webhook, applicant);
      });
    }
  };
  const onReviewed = (applicant: SimulatedApplicant, change: { review: Review; silent: boolean }): void => {
    applicant.review = change.review;
    if (!change.silent) tell(webhookTypeOf(change.review), applicant);
  };
  const shared = { applicants: createApplicants(), tokens: createShareTokens(clock) };
  const provider: ProviderApiDeps = { ...shared, now: () => clock.now(), onImported };
  const control: ControlApiDeps = { ...shared, webhookTries: webhooks.tries, onReviewed };

  const answer = (request: SimulatorRequest): SimulatorAnswer => {
    timeline.catchUp();
    if (request.target.startsWith("/simulator/")) {
      return answerControlApi(control, request) ?? refusal({ code: 404, description: "Not found" });
    }
    const fault = signatureFault(request, { appToken, secret, now: clock.now() });
    if (fault !== null) return refusal({ code: 401, description: fault });
    return answerProviderApi(provider, request) ?? refusal({ code: 404, description: "Not found" });
  };
  return listen({
    port: options.port,
    host: options.host ?? "127.0.0.1",
    answer,
    async stop() {
      timeline.stop();
      await webhooks.stop();
    },
  });
}

function webhookTypeOf({ reviewStatus }: Review): string {
  switch (reviewStatus) {
    case "init":
      return "applicantReset";
    case "pending":
    case "queued":
      return "applicantPending";
    case "onHold":
      return "applicantOnHold";
    case "completed":
      return "applicantReviewed";
    default:
      return reviewStatus satisfies never;
  }
}

async function listen(input: {
  port: number;
  host: string;
  answer: (request: SimulatorRequest) => SimulatorAnswer;
  stop: () => Promise<void>;
}): Promise<KycSimulator> {
  const server = createServer((request, response) => {
    serve(input.answer, { request, response }).catch(() => response.destroy());
  });
  server.listen(input.port, input.host);
  try {
    await once(server, "listening");
  } catch (error) {
    await input.stop();
    throw error;
  }
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : input.port;
  return {
    url: `http://${input.host}:${port}`,
    async close() {
      await input.stop();
      const closed = once(server, "close");
      server.close();
      // Imports that hang would keep the server open for ever.
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  answer: (request: SimulatorRequest) => SimulatorAnswer,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const body = await readBody(request);
  const { method = "", url: target = "", headers } = request;
  const answered =
    body === null ? refusal({ code: 413, description: "Body too large" }) : answer({ method, target, headers, body });
  if (answered === "hang") return;
  response.writeHead(answered.status, { "content-type": "application/json" });
  response.end(JSON.stringify(answered.json));
}

/** Null when it is over the limit. */
async function readBody(request: AsyncIterable<Buffer>): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.byteLength;
    if (bytes > bodyBytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
