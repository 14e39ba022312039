/** The events merchants receive: the question a purchase waits for, and the pushes delivered afterwards (contract section 6). */
export { type CallbackOptions, type Callbacks, createCallbacks } from "./callbacks.ts";
export type { Delivery } from "./delivery.ts";
export type { ExchangeTimings } from "./exchange.ts";
export type { CallbackHistory } from "./history.ts";
export type { CallbackAttempt, CallbackEntry, CallbackFilter, CallbackKey, CallbackState } from "./history-store.ts";
export type { CallbackLog, CallbackTarget } from "./ports.ts";
export type { Question, QuestionAnswer, QuestionOutcome } from "./questions.ts";
