/** The merchants' API, wire-compatible with the contract. */
export type { OpenApiDeps, OpenApiLog } from "./deps.ts";
export type { OpenApiLimits } from "./limits.ts";
export { openApi } from "./open-api.ts";
export { openApiServerOptions } from "./server-options.ts";
