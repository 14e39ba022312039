/** The HTTP front of the card network: authorizations come in as JSON and leave as answers with an ISO 8583 response code. */
export type { AuthorizationMessage } from "./authorization-message.ts";
export type { NetworkAnswer } from "./network-answer.ts";
export {
  type Availability,
  authorizationsPath,
  buildNetworkFront,
  type NetworkFrontDeps,
} from "./network-front.ts";
export { type Reverse, reversalsPath, type TransactionAnswer } from "./reversal-route.ts";
