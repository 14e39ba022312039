import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createTestDatabase, type TestDatabase } from "@cardwright/testing/database";
import { request } from "undici";
import {
  type Cardholders,
  type CardholdersOptions,
  createCardholders,
  createSumsubClient,
  type KycProvider,
} from "#cardholders/index.ts";
import { type KycSimulatorOptions, startKycSimulator } from "./simulator.ts";
import type { WebhookTry } from "./webhook-sender.ts";

/** For tests only: the cardholders room with its real client, the simulator, a database, and a face that receives webhooks. */
export interface KycStage {
  readonly db: TestDatabase;
  readonly clock: { now(): number; advance(ms: number): void };
  readonly cardholders: Cardholders;
  readonly simulatorUrl: string;
  readonly approved: { merchantId: number; cardholderNo: string }[];
  /** How often the room asked the provider. */
  readonly calls: { imports: number; fetches: number };
  /** What the receiver answers instead of handling the webhook; null: it handles them. */
  webhookStatus: number | null;
  /** The client itself, and what the room's calls of it go through; a test may put trouble between. */
  readonly client: KycProvider;
  kyc: KycProvider;
  /** Another process on the same database. */
  another(options?: Partial<CardholdersOptions>): Cardholders;
  control(path: string, body: object): Promise<{ status: number; json: Record<string, unknown> }>;
  webhookTries(): Promise<WebhookTry[]>;
  applicantOf(cardholderNo: string): Promise<string>;
  /** Lets the webhook of the import be handled, then the time pass at which the review ends. */
  letReviewEnd(cardholderNo: string): Promise<void>;
  close(): Promise<void>;
}

export const stageMerchantId = 7;
const reviewWaitMs = 1_000;
const credentials = { appToken: "sbx:app", secret: "request-secret", webhookSecret: "webhook-secret" };

export async function openKycStage(options: Partial<KycSimulatorOptions> = {}): Promise<KycStage> {
  let now = Date.UTC(2026, 4, 22, 8);
  const clock = {
    now: () => now,
    advance: (ms: number) => {
      now += ms;
    },
  };
  const db = await createTestDatabase();
  const receiver = createServer((request, response) => {
    receive(request).then(
      (status) => response.writeHead(status).end(),
      () => response.writeHead(500).end(),
    );
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const address = receiver.address();
  const webhookUrl = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/webhooks/kyc`;
  const simulator = await startKycSimulator({
    port: 0,
    webhookUrl: () => webhookUrl,
    clock,
    reviewWaitMs,
    ...credentials,
    ...options,
  });
  const client = createSumsubClient({
    baseUrl: simulator.url,
    clock,
    ...credentials,
    tryTimeoutMs: 2_000,
    retryWaitMs: 1,
  });
  const calls = { imports: 0, fetches: 0 };
  const counted: KycProvider = {
    importApplicant: (input) => {
      calls.imports += 1;
      return stage.kyc.importApplicant(input);
    },
    fetchApplicant: (input) => {
      calls.fetches += 1;
      return stage.kyc.fetchApplicant(input);
    },
    readWebhook: (input) => client.readWebhook(input),
  };
  const approved: KycStage["approved"] = [];
  const another = (changed: Partial<CardholdersOptions> = {}): Cardholders =>
    createCardholders({
      pool: db.pool,
      kyc: counted,
      clock,
      onApproved: async (_, who) => void approved.push(who),
      ...changed,
    });

  const receive = async (request: IncomingMessage): Promise<number> => {
    const chunks: Buffer[] = await request.toArray();
    if (stage.webhookStatus !== null) return stage.webhookStatus;
    const event = stage.cardholders.readWebhook({ rawBody: Buffer.concat(chunks), headers: request.headers });
    if (!event.ok) return 401;
    await stage.cardholders.handleWebhook(event.value);
    return 200;
  };

  const stage: KycStage = {
    db,
    clock,
    client,
    kyc: client,
    cardholders: another(),
    simulatorUrl: simulator.url,
    approved,
    calls,
    webhookStatus: null,
    another,
    control: async (path, body) => {
      const answer = await request(`${simulator.url}${path}`, { method: "POST", body: JSON.stringify(body) });
      return { status: answer.statusCode, json: (await answer.body.json()) as Record<string, unknown> };
    },
    webhookTries: async () => {
      const answer = await request(`${simulator.url}/simulator/webhooks`);
      return ((await answer.body.json()) as { list: WebhookTry[] }).list;
    },
    applicantOf: async (cardholderNo) => {
      const { rows } = await db.pool.query<{ id: string }>(
        "SELECT kyc_applicant_id AS id FROM cardholder WHERE cardholder_no = $1",
        [cardholderNo],
      );
      return rows[0]?.id ?? "";
    },
    letReviewEnd: async (cardholderNo) => {
      const id = await stage.applicantOf(cardholderNo);
      const isCreated = ({ type, applicantId }: WebhookTry) => type === "applicantCreated" && applicantId === id;
      await eventually(async () => (await stage.webhookTries()).some(isCreated));
      clock.advance(reviewWaitMs);
    },
    close: async () => {
      await simulator.close();
      await client.close();
      receiver.close();
      receiver.closeAllConnections();
      await db.drop();
    },
  };
  return stage;
}

/** Asks until it is so; for what happens on the other side of a socket. */
export async function eventually(isSo: () => Promise<boolean> | boolean): Promise<void> {
  for (let looks = 0; looks < 500; looks += 1) {
    if (await isSo()) return;
    await sleep(10);
  }
  throw new Error("it did not become so within 5 s");
}
