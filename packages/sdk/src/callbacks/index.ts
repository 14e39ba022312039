import { type CallbackHandler, createHandler } from "./handler.ts";
import type { HandlerOptions } from "./handler-options.ts";
import { type CallbackOptions, callbackKeys } from "./keys.ts";
import { type CallbackToSign, type SignedCallback, signCallback } from "./sign.ts";
import type { Callback, CallbackRequest } from "./types.ts";
import { verifyCallback } from "./verify.ts";

export type { CallbackOptions } from "./keys.ts";

/** The platform's calls to the merchant (contract section 6). */
export interface Callbacks {
  /**
   * The callback of a request, if it comes from the platform. Throws SignatureError, whose `reason` is for your log and not for the
   * sender. What it does not do: tell repeats, keep order, answer in time; `handler` does.
   */
  verify(request: CallbackRequest): Promise<Callback>;
  /** A whole callback endpoint. */
  handler(options: HandlerOptions): CallbackHandler;
  /** A callback as the platform sends it, for your own tests. */
  sign(callback: CallbackToSign): Promise<SignedCallback>;
}

/** Callbacks without a client. Throws a TypeError or RangeError where nothing could be verified. */
export function createCallbacks(options: CallbackOptions): Callbacks {
  const keys = callbackKeys(options);
  const verify = (request: CallbackRequest): Promise<Callback> => verifyCallback(keys, request);
  return {
    verify,
    handler: (handlerOptions) => createHandler({ verify, bodyBytesMax: keys.bodyBytesMax }, handlerOptions),
    sign: (callback) => signCallback(keys, callback),
  };
}
