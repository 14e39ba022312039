export {
  type CallbackBody,
  type CallbackBodyRefusal,
  type CallbackBodyResult,
  splitCallbackBody,
} from "./callback-body.ts";
export {
  type SigningStandard,
  signStandard,
  type VerificationStandard,
  type VerificationStandardRefusal,
  type VerificationStandardResult,
  verifyStandard,
  webhookKey,
} from "./standard-webhooks.ts";
export {
  apiSecretKey,
  type SignedV1,
  type SigningV1,
  signatureTextV1,
  signV1,
  type VerificationV1,
  type VerificationV1Refusal,
  type VerificationV1Result,
  verifyV1,
} from "./v1.ts";
