/** Made by npm run generate from packages/contract: change that, not this file. */
import type { CallbackState, MerchantMode, PushAction } from "./enumerations.ts";

export interface DeveloperMerchant {
  /** Your number with us. */
  readonly merchant_no: string;
  /** Your name with us. */
  readonly name: string;
  /** Your mode. */
  readonly mode: MerchantMode;
  /** Signed into every callback. */
  readonly app_id: string;
  /** What kind of installation this is. */
  readonly environment: "sandbox" | "production";
  /** Where callbacks go; empty for none. */
  readonly callback_url: string;
  /** The platform's time now; in the sandbox somebody may have moved it. Unix milliseconds. */
  readonly time: number;
}

/** Set the callback URL. Only in the sandbox; in production the operator sets it. Takes effect within 5 seconds: until then a callback may still go to the URL before. */
export interface CallbackUrlParams {
  /** Where callbacks go; empty for none. At most 2048 characters. */
  readonly callback_url: string;
}

export interface CallbackUrl {
  /** Where callbacks go; empty for none. */
  readonly callback_url: string;
}

export interface CallbackEndpoint {
  /** Whether pushes are sent. */
  readonly state: "Active" | "Paused";
  /** Who or what paused it; empty while `Active`. */
  readonly paused_by: "" | "failures" | "operator" | "merchant";
  /** Since when it is paused, or 0. Unix milliseconds. */
  readonly paused_at: number;
  /** The first of the failures since the last success, or 0. Unix milliseconds. */
  readonly failing_since: number;
  /** Or 0. Unix milliseconds. */
  readonly last_success_at: number;
  /** Or 0. Unix milliseconds. */
  readonly last_failure_at: number;
  /** Pushes that are not delivered yet. */
  readonly open_count: number;
  /** False when there are more than are counted. */
  readonly open_count_is_exact: boolean;
}

export interface TestPush {
  /** Whether your server took the test push. */
  readonly delivered: boolean;
  /** Status of its answer, or 0. */
  readonly http_status: number;
  /** What went wrong, or empty. */
  readonly error: string;
  /** What it answered, the first 4 KB. */
  readonly answer: string;
  /** Milliseconds until then. */
  readonly duration_ms: number;
  /** Whether the success has resumed an endpoint that failures had paused. */
  readonly resumed: boolean;
}

/** List pushes. Pushes of the last 30 days, newest first. Give the last row's `callback_id` as `before` for the next page. */
export interface CallbackListParams {
  /** Only in this state. */
  readonly state?: CallbackState | undefined;
  /** Only of this kind. */
  readonly action?: PushAction | undefined;
  /** Only about this card. */
  readonly card_no?: string | undefined;
  /** Only about this consumption. */
  readonly consume_no?: string | undefined;
  /** Made at or after this moment. Unix milliseconds. From 0 to 9999999999999. */
  readonly start_time?: number | undefined;
  /** Made at or before this moment; after `start_time`. Unix milliseconds. From 0 to 9999999999999. */
  readonly end_time?: number | undefined;
  /** `callback_id` of the last row of the page before. At most 64 characters. */
  readonly before?: string | undefined;
  /** Rows of a page, 1 to 100. Default 20. */
  readonly size?: number | undefined;
}

export interface CallbackListItem {
  /** The push's `id`. */
  readonly callback_id: string;
  /** What the push is about. */
  readonly action: PushAction;
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** The consumption it is about, or empty. */
  readonly consume_no: string;
  /** Number of the push within its card, from 1 without gaps. */
  readonly sequence: number;
  /** What has become of it. */
  readonly state: CallbackState;
  /** Tries so far. */
  readonly attempts: number;
  /** When it was made. Unix milliseconds. */
  readonly created_at: number;
  /** When it is tried next, or 0. Unix milliseconds. */
  readonly next_attempt_at: number;
  /** When it was delivered or given up, or 0. Unix milliseconds. */
  readonly finished_at: number;
  /** What went wrong with the last try, or empty. */
  readonly last_error: string;
}

export interface CallbackAttempt {
  /** Number of the try, from 1. */
  readonly attempt: number;
  /** When it began. Unix milliseconds. */
  readonly time: number;
  /** Milliseconds it took. */
  readonly duration_ms: number;
  /** Status of the answer, or 0. */
  readonly http_status: number;
  /** What went wrong, or empty. */
  readonly error: string;
  /** What was answered, the first 4 KB. */
  readonly answer: string;
}

export interface CallbackDetail {
  /** The push's `id`. */
  readonly callback_id: string;
  /** What the push is about. */
  readonly action: PushAction;
  /** Our number of the card, at most 32 characters. Not the card number (PAN). */
  readonly card_no: string;
  /** The consumption it is about, or empty. */
  readonly consume_no: string;
  /** Number of the push within its card, from 1 without gaps. */
  readonly sequence: number;
  /** What has become of it. */
  readonly state: CallbackState;
  /** Tries so far. */
  readonly attempts: number;
  /** When it was made. Unix milliseconds. */
  readonly created_at: number;
  /** When it is tried next, or 0. Unix milliseconds. */
  readonly next_attempt_at: number;
  /** When it was delivered or given up, or 0. Unix milliseconds. */
  readonly finished_at: number;
  /** What went wrong with the last try, or empty. */
  readonly last_error: string;
  /** `data` as it is pushed. */
  readonly data: Readonly<Record<string, unknown>>;
  /** The tries, the latest first. */
  readonly attempt_list: readonly CallbackAttempt[];
}

/** Send pushes again. Exactly one of the three fields says which. The pushes keep `id`, `data` and `Sequence`; the schedule of tries begins anew, in the order of each card. */
export interface ResendWireParams {
  /** These, 1 to 100. */
  readonly callback_ids?: readonly string[] | undefined;
  /** All that were made at or after this moment. Unix milliseconds. From 0 to 9999999999999. */
  readonly since?: number | undefined;
  /** All that are not delivered: given up, or failing and waiting for a later try. */
  readonly missed?: true | undefined;
}

export interface ResendResult {
  /** Pushes that are sent again. */
  readonly resent: number;
  /** Those of `callback_ids` that you do not have. */
  readonly unknown: readonly string[];
}

export interface WebhookSecret {
  /** Number of the secret. */
  readonly secret_id: string;
  /** When it was made. Unix milliseconds. */
  readonly created_at: number;
  /** When it signs no more; 0 for the current one. Unix milliseconds. */
  readonly expires_at: number;
}

/** Rotate the webhook secret. Makes a new secret and shows it this once. For the hours of `overlap_hours` callbacks carry two signatures, by the new and by the old one. */
export interface RotateWebhookSecretParams {
  /** Hours for which callbacks carry a signature by the old secret too, 0 to 168. Default 24. */
  readonly overlap_hours?: number | undefined;
}

export interface RotatedWebhookSecret {
  /** Number of the secret. */
  readonly secret_id: string;
  /** Shown this once. */
  readonly secret: string;
  /** When the secret before signs no more, or 0. Unix milliseconds. */
  readonly previous_expires_at: number;
}
