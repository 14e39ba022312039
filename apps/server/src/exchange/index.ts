/** What currencies are worth in USD: the operator's rate table. */
export type { ExchangeDeps } from "./deps.ts";
export { type CurrentRate, createExchange, type Exchange } from "./exchange.ts";
export type { ExchangeRate, InvalidRates, NewRates, UsedRate } from "./exchange-rate.ts";
export { exchange as exchangeLimits } from "./limits.ts";
