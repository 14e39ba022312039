export {
  type CallbackBody,
  type CallbackBodyRefusal,
  type CallbackBodyResult,
  splitCallbackBody,
} from "./callback-body.ts";
export { type SigningStandard, signStandard, verifyStandard, webhookKey } from "./standard-webhooks.ts";
export type {
  VerificationStandard,
  VerificationStandardRefusal,
  VerificationStandardResult,
} from "./standard-webhooks-parts.ts";
export { apiSecretKey, type SigningV1, signV1, verifyV1 } from "./v1.ts";
export {
  type SignedV1,
  signatureTextV1,
  type VerificationV1,
  type VerificationV1Refusal,
  type VerificationV1Result,
} from "./v1-text.ts";
