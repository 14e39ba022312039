/** Made by npm run generate from packages/contract: change that, not this file. */

export type * from "./answers.ts";
export type * from "./callbacks.ts";
export type * from "./developer.ts";
export type * from "./enumerations.ts";
export type * from "./requests.ts";
