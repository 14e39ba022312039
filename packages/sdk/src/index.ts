export { decimalsOf, fromMinorUnits, toMinorUnits } from "./amounts.ts";
export { type AuthAnswer, approve, type DeclineReason, decline, leaveToPlatform } from "./callbacks/answers.ts";
export type { CallbackHandler, FastifyScope, NodeRequest, NodeResponse } from "./callbacks/handler.ts";
export type { AuthContext, FallbackReason, HandlerOptions, PushContext } from "./callbacks/handler-options.ts";
export { type CallbackOptions, type Callbacks, createCallbacks } from "./callbacks/index.ts";
export { memoryRepeatStore, type RepeatStore } from "./callbacks/repeats.ts";
export type { CallbackToSign, SignedCallback } from "./callbacks/sign.ts";
export type {
  AuthCallback,
  Callback,
  CallbackFacts,
  CallbackRequest,
  CardUpdateCallback,
  ConsumptionCallback,
  FetchRequestLike,
  HeaderSource,
  IncomingRequestLike,
  OtherCallback,
  RawAnswer,
  RawRequest,
} from "./callbacks/types.ts";
export { decryptForCard, decryptPrivateInfo, encryptForCard } from "./card-ciphers.ts";
export { Cardwright } from "./client.ts";
export {
  ApiError,
  type ApiErrorDetails,
  AuthenticationError,
  CardwrightError,
  ConflictError,
  ConnectionError,
  type ErrorReason,
  InsufficientFundsError,
  InvalidRequestError,
  NotFoundError,
  PermissionError,
  RateLimitError,
  ServerError,
  SignatureError,
  type SignatureRefusal,
  TimeoutError,
} from "./errors.ts";
export type * from "./generated/types.ts";
export type { CallOptions, CardwrightOptions, FetchLike, Language } from "./options.ts";
export type { Page, PageList, Paging, WalkOptions } from "./pages.ts";
export type { Accounts } from "./resources/accounts.ts";
export type { Cardholders } from "./resources/cardholders.ts";
export type { CardActivateParams, CardPinParams, Cards } from "./resources/cards.ts";
export type { Consumptions } from "./resources/consumptions.ts";
export type { CallbackList, Developer, ResendParams } from "./resources/developer.ts";
export type { ListenAnswer, Listening, ListenOptions, ListenRequest } from "./resources/listen.ts";
export type { Products } from "./resources/products.ts";
export type * from "./resources/sandbox.ts";
