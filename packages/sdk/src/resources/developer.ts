import { CardwrightError } from "../errors.ts";
import type { CallbackAction, MerchantMode } from "../generated/types.ts";
import type { CallOptions } from "../options.ts";
import type { Transport } from "../transport.ts";
import { developerApi, read, segment, write } from "./call.ts";

export interface DeveloperMerchant {
  readonly merchant_no: string;
  readonly name: string;
  readonly mode: MerchantMode;
  readonly app_id: string;
  readonly environment: "sandbox" | "production";
  /** Empty where there is none. */
  readonly callback_url: string;
  /** Business time, Unix milliseconds. A sandbox may move it. */
  readonly time: number;
}

/** Times are Unix milliseconds, 0 where there is none. */
export interface CallbackEndpoint {
  readonly state: "Active" | "Paused";
  /** Empty while it is active. */
  readonly paused_by: "" | "failures" | "operator" | "merchant";
  readonly paused_at: number;
  readonly failing_since: number;
  readonly last_success_at: number;
  readonly last_failure_at: number;
  /** Pushes that are not delivered yet. */
  readonly open_count: number;
  /** False where there are so many that counting stopped. */
  readonly open_count_is_exact: boolean;
}

export interface TestPush {
  readonly delivered: boolean;
  /** 0 where no answer came. */
  readonly http_status: number;
  readonly error: string;
  /** The first 4 KB of the answer. */
  readonly answer: string;
  readonly duration_ms: number;
  /** Whether the push has resumed an endpoint that failures had paused. */
  readonly resumed: boolean;
}

export type CallbackState = "Open" | "Delivered" | "Given_up";

/** Times are Unix milliseconds, 0 where there is none. */
export interface CallbackListItem {
  readonly callback_id: string;
  readonly action: CallbackAction;
  readonly card_no: string;
  /** Empty for a `Card_update`. */
  readonly consume_no: string;
  readonly sequence: number;
  readonly state: CallbackState;
  readonly attempts: number;
  readonly created_at: number;
  readonly next_attempt_at: number;
  readonly finished_at: number;
  readonly last_error: string;
}

export interface CallbackAttempt {
  readonly attempt: number;
  readonly time: number;
  readonly duration_ms: number;
  /** 0 where no answer came. */
  readonly http_status: number;
  readonly error: string;
  /** The first 4 KB of the answer. */
  readonly answer: string;
}

export interface CallbackDetail extends CallbackListItem {
  /** As it was pushed. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Latest first. */
  readonly attempt_list: readonly CallbackAttempt[];
}

export interface CallbackListParams {
  readonly state?: CallbackState | undefined;
  readonly action?: CallbackAction | undefined;
  readonly card_no?: string | undefined;
  readonly consume_no?: string | undefined;
  /** Unix milliseconds. */
  readonly start_time?: number | undefined;
  /** Unix milliseconds. */
  readonly end_time?: number | undefined;
  /** `callback_id` of the last row of the page before. */
  readonly before?: string | undefined;
  /** From 1 to 100. */
  readonly size?: number | undefined;
}

/** Which pushes are sent again: those named (1 to 100), all since a moment (Unix ms), or all that were not delivered. */
export type ResendParams =
  | { readonly callback_ids: readonly string[] }
  | { readonly since: number }
  | { readonly missed: true };

export interface ResendResult {
  readonly resent: number;
  readonly unknown: readonly string[];
}

export interface WebhookSecret {
  readonly secret_id: string;
  readonly created_at: number;
  /** Unix milliseconds; 0 for the present one. */
  readonly expires_at: number;
}

export interface RotateWebhookSecretParams {
  /** How long the present secret signs beside the new one, from 0 to 168; 24 when absent. */
  readonly overlap_hours?: number | undefined;
}

export interface RotatedWebhookSecret {
  readonly secret_id: string;
  /** `whsec_…`, shown this once. */
  readonly secret: string;
  /** Unix milliseconds; 0 where there was none. */
  readonly previous_expires_at: number;
}

/** What a merchant's developer sees of the own merchant and its callbacks. */
export interface Developer {
  merchant(options?: CallOptions): Promise<DeveloperMerchant>;
  /** Sandbox only. */
  setCallbackUrl(callbackUrl: string, options?: CallOptions): Promise<{ readonly callback_url: string }>;
  endpoint(options?: CallOptions): Promise<CallbackEndpoint>;
  pauseEndpoint(options?: CallOptions): Promise<CallbackEndpoint>;
  resumeEndpoint(options?: CallOptions): Promise<CallbackEndpoint>;
  /** Sends a push that changes nothing, and waits for the answer. */
  testEndpoint(options?: CallOptions): Promise<TestPush>;
  /** Newest first. `await` it for one page, `for await` walks on by `before`. */
  listCallbacks(params?: CallbackListParams, options?: CallOptions): CallbackList;
  retrieveCallback(callbackId: string, options?: CallOptions): Promise<CallbackDetail>;
  resendCallbacks(params: ResendParams, options?: CallOptions): Promise<ResendResult>;
  listWebhookSecrets(options?: CallOptions): Promise<{ readonly list: readonly WebhookSecret[] }>;
  rotateWebhookSecret(params?: RotateWebhookSecretParams, options?: CallOptions): Promise<RotatedWebhookSecret>;
}

export interface CallbackList
  extends PromiseLike<{ readonly list: readonly CallbackListItem[] }>,
    AsyncIterable<CallbackListItem> {}

export function createDeveloper(transport: Transport): Developer {
  const path = `${developerApi}/callback-endpoint`;
  const change = <Data>(path: string, body: object, options: CallOptions | undefined): Promise<Data> =>
    write(transport, { path, body, repeatable: "when_refused" }, options);
  return {
    merchant: (options) => read(transport, `${developerApi}/merchant/info`, options),
    setCallbackUrl: (callback_url, options) =>
      change(`${developerApi}/merchant/callback-url`, { callback_url }, options),
    endpoint: (options) => read(transport, `${path}/info`, options),
    pauseEndpoint: (options) => change(`${path}/pause`, {}, options),
    resumeEndpoint: (options) => change(`${path}/resume`, {}, options),
    testEndpoint: (options) => change(`${path}/test`, {}, options),
    listCallbacks: (params = {}, options) => callbackList(transport, params, options),
    retrieveCallback: (callbackId, options) =>
      read(transport, `${developerApi}/callback/${segment("callback_id", callbackId)}/info`, options),
    resendCallbacks: (params, options) => change(`${developerApi}/callback/resend`, params, options),
    listWebhookSecrets: (options) => read(transport, `${developerApi}/webhook-secret/list`, options),
    rotateWebhookSecret: (params = {}, options) => change(`${developerApi}/webhook-secret/rotate`, params, options),
  };
}

const sizeOfWalk = 100;
/** A hundred thousand pushes; whoever wants more asks by time. */
const pagesOfWalkMax = 1_000;

function callbackList(
  transport: Transport,
  params: CallbackListParams,
  options: CallOptions | undefined,
): CallbackList {
  const fetchPage = (body: CallbackListParams): Promise<{ readonly list: readonly CallbackListItem[] }> =>
    transport.call({ method: "POST", path: `${developerApi}/callback/list`, body, repeatable: "safe" }, options);
  async function* walk(): AsyncGenerator<CallbackListItem> {
    const size = params.size ?? sizeOfWalk;
    let { before } = params;
    for (let page = 0; page < pagesOfWalkMax; page += 1) {
      const { list } = await fetchPage({ ...params, size, before });
      yield* list;
      before = list.at(-1)?.callback_id;
      if (list.length < size) return;
    }
    throw new CardwrightError(`the list is longer than ${pagesOfWalkMax} pages: ask for a shorter time`);
  }
  let single: ReturnType<typeof fetchPage> | undefined;
  return {
    // oxlint-disable-next-line unicorn/no-thenable -- A list may be awaited for its page.
    then: (onPage, onError) => {
      single ??= fetchPage(params);
      return single.then(onPage, onError);
    },
    [Symbol.asyncIterator]: walk,
  };
}
