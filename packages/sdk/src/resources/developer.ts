import { CardwrightError } from "../errors.ts";
import type {
  CallbackDetail,
  CallbackEndpoint,
  CallbackListItem,
  CallbackListParams,
  CallbackUrl,
  DeveloperMerchant,
  ResendResult,
  RotatedWebhookSecret,
  RotateWebhookSecretParams,
  TestPush,
  WebhookSecret,
} from "../generated/types.ts";
import type { CallOptions } from "../options.ts";
import type { Transport } from "../transport.ts";
import { developerApi, read, segment, write } from "./call.ts";

/** Which pushes are sent again: those named (1 to 100), all since a moment (Unix ms), or all that were not delivered. */
export type ResendParams =
  | { readonly callback_ids: readonly string[] }
  | { readonly since: number }
  | { readonly missed: true };

/** What a merchant's developer sees of the own merchant and its callbacks. */
export interface Developer {
  merchant(options?: CallOptions): Promise<DeveloperMerchant>;
  /** Sandbox only. */
  setCallbackUrl(callbackUrl: string, options?: CallOptions): Promise<CallbackUrl>;
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
