/** What the console and an operator's scripts call: the operator API, to be mounted at `/operator/v1`. */
export { type OperatorApiDeps, operatorApi } from "./operator-api.ts";
export { adminTokenCharactersMin } from "./token-guard.ts";
