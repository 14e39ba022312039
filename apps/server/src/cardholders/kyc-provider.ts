import type { IncomingHttpHeaders } from "node:http";
import type { Result } from "#kernel/index.ts";

/** What the provider says about an applicant now. Only `approved` and `rejected` are final, and even those may change late. */
export type Review =
  | { readonly state: "pending" }
  | { readonly state: "on_hold" }
  | { readonly state: "approved" }
  | { readonly state: "rejected"; readonly rejection: "retry" | "final"; readonly reason: string };

/** A person as the provider knows them. Texts the provider does not have are "". */
export interface Applicant {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly review: Review;
}

/** A notice that something about an applicant changed. It carries no verdict: the applicant is always read again. */
export interface KycEvent {
  readonly applicantId: string;
  /** The provider's own name of the event, for logs and counters. */
  readonly type: string;
}

export type ImportRefusal = "token_refused" | "unreachable";
/** `unauthorized`: our credentials are not accepted, which an operator has to mend. */
export type FetchRefusal = "not_found" | "unauthorized" | "unreachable";
export type WebhookRefusal =
  | "body_too_large"
  | "digest_missing"
  | "digest_unknown"
  | "digest_mismatch"
  | "body_invalid";

/** The people who check identities, seen from here. The Sumsub client implements it. */
export interface KycProvider {
  /**
   * Takes over the applicant behind a share token. It uses the token up, so it is tried exactly once: after `unreachable`
   * nobody knows whether the token was used, and the merchant comes again with a fresh one.
   */
  importApplicant(input: { shareToken: string }): Promise<Result<{ applicantId: string }, ImportRefusal>>;
  /** Reads an applicant, trying again within `budgetMs` when the provider stumbles. */
  fetchApplicant(input: { applicantId: string; budgetMs: number }): Promise<Result<Applicant, FetchRefusal>>;
  /** Checks where a webhook comes from, over the bytes as they arrived, before anything in it is looked at. */
  readWebhook(input: { rawBody: Uint8Array; headers: IncomingHttpHeaders }): Result<KycEvent, WebhookRefusal>;
}
