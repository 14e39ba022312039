export { allocate } from "./allocate.ts";
export {
  type AmountRefusal,
  type AmountResult,
  formatAmount,
  formatShortest,
  parseAmount,
  parsePositiveAmount,
  toJsonNumber,
} from "./amount-text.ts";
export { type Currency, type CurrencyCode, currencyOf, decimalsOf, isCurrency } from "./currencies.ts";
export { add, compare, type Money, money, subtract } from "./money.ts";
export { applyRate, type Conversion, convert, formatRate, parseRate, type Rate, type RateResult } from "./rate.ts";
