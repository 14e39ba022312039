/** The events merchants receive: the question a purchase waits for, and the pushes delivered afterwards (contract section 6). */
export type { CallbackBacklog } from "./backlog-store.ts";
export type { BreakerChange } from "./breaker.ts";
export { type CallbackOptions, type Callbacks, createCallbacks } from "./callbacks.ts";
export type { Delivery } from "./delivery.ts";
export type { CallbackEndpoints, EndpointState, PausedBy, TestPush } from "./endpoints.ts";
export type { CallbackAttempt, CallbackEntry, CallbackFilter, CallbackKey, CallbackState } from "./entries.ts";
export type { EventDetail, EventPage, MerchantEvent } from "./event-store.ts";
export type { MerchantEvents } from "./events.ts";
export type { CallbackHistory } from "./history.ts";
export type { CallbackLog, CallbackTarget, ClientIdentity } from "./ports.ts";
export type { QuestionRow } from "./question-store.ts";
export type { Question } from "./questions.ts";
export type { QuestionAnswer, QuestionOutcome, QuestionTimings } from "./verdict.ts";
