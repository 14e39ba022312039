/** The HTTP front of the card network: authorizations come in as JSON and leave as answers with an ISO 8583 response
 * code; messages about transactions that exist leave with what became of them. */
export { adviceRoute, advicesPath } from "./advice-message.ts";
export type { AuthorizationMessage } from "./authorization-message.ts";
export { clearingRoute, clearingsPath } from "./clearing-message.ts";
export type { MessageRoute } from "./message-route.ts";
export type { NetworkAnswer } from "./network-answer.ts";
export {
  type Availability,
  authorizationsPath,
  buildNetworkFront,
  type NetworkFrontDeps,
} from "./network-front.ts";
export { reversalRoute, reversalsPath } from "./reversal-message.ts";
