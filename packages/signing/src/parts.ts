/** What signs and verifies everything but the HMAC itself, without any API of Node: for runtimes that have Web Crypto only. */
export { type CallbackBody, type CallbackBodyRefusal, splitCallbackBody } from "./callback-body.ts";
export { checkStandard, signaturePrefix, signedPrefix, webhookKeyOf } from "./standard-webhooks-parts.ts";
export { checkV1, signatureTextV1 } from "./v1-text.ts";
