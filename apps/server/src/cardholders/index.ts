import type { IncomingHttpHeaders } from "node:http";
import type { Pool } from "pg";
import type { Sql } from "#database/index.ts";
import { type Clock, orderNumber, type Result } from "#kernel/index.ts";
import { type Application, apply } from "./application.ts";
import type { AcceptedApplication, ApplyRefusal, Cardholder } from "./cardholder.ts";
import type { CardholdersDeps } from "./deps.ts";
import type { KycEvent, KycProvider, WebhookRefusal } from "./kyc-provider.ts";
import { handleWebhook, type PollReport, pollDue, type WebhookOutcome } from "./polling.ts";
import { type CardholderFilter, findCardholder, listCardholders } from "./store.ts";

export type { Application } from "./application.ts";
export type { AcceptedApplication, ApplyRefusal, Cardholder, CardholderStatus } from "./cardholder.ts";
export type {
  Applicant,
  FetchRefusal,
  ImportRefusal,
  KycEvent,
  KycProvider,
  Review,
  WebhookRefusal,
} from "./kyc-provider.ts";
export type { PollReport, WebhookOutcome } from "./polling.ts";
export type { CardholderFilter } from "./store.ts";
export { createSumsubClient, type SumsubClient, type SumsubOptions } from "./sumsub-client.ts";
export { webhookBodyBytesMax } from "./sumsub-webhook.ts";

interface CardholderKey {
  readonly merchantId: number;
  readonly cardholderNo: string;
}

/** The people merchants give cards to: their applications and what the KYC provider says about them. */
export interface Cardholders {
  /** `cardholder/apply`, contract section 3. Calls the provider: may take as long as its time-out. */
  apply(application: Application): Promise<Result<AcceptedApplication, ApplyRefusal>>;
  /** Newest first, ties by the higher number (contract section 1). */
  list(filter: CardholderFilter): Promise<Cardholder[]>;
  /** Null for a number that is unknown or another merchant's. Reads in `sql` when the caller has a transaction. */
  find(key: CardholderKey, sql?: Sql): Promise<Cardholder | null>;
  isApproved(key: CardholderKey, sql?: Sql): Promise<boolean>;
  /** For the face that receives the provider's webhooks: check first, then handle, and answer 200 to whatever was handled. */
  readWebhook(input: { rawBody: Uint8Array; headers: IncomingHttpHeaders }): Result<KycEvent, WebhookRefusal>;
  handleWebhook(event: KycEvent): Promise<WebhookOutcome>;
  /** One round of the worker over applicants without a final verdict. A second between rounds is right. */
  pollDue(limit: number): Promise<PollReport>;
}

export interface CardholdersOptions {
  readonly pool: Pool;
  readonly kyc: KycProvider;
  readonly clock: Clock;
  readonly newCardholderNo?: (nowMs: number) => string;
  readonly onApproved: CardholdersDeps["onApproved"];
}

export function createCardholders(options: CardholdersOptions): Cardholders {
  const deps: CardholdersDeps = { newCardholderNo: (nowMs) => orderNumber("U", nowMs), ...options };
  const find = (key: CardholderKey, sql: Sql = deps.pool): Promise<Cardholder | null> => findCardholder(sql, key);
  return {
    apply: (application) => apply(deps, application),
    list: (filter) => listCardholders(deps.pool, filter),
    find,
    isApproved: async (key, sql) => (await find(key, sql))?.status === "Approved",
    readWebhook: (input) => deps.kyc.readWebhook(input),
    handleWebhook: (event) => handleWebhook(deps, event),
    pollDue: (limit) => pollDue(deps, limit),
  };
}
