export { authData, consumptionData, dataEnd, dataFees, dataHead, dataTail } from "./callback-data.ts";
export { type CardAcceptor, type Consumption, cleanText, type FeeRow } from "./consumption.ts";
export { consumptionRules } from "./rules.ts";
export {
  type ConsumptionFilter,
  feeRowsJson,
  findOpening,
  insertDone,
  selectOne as findConsumption,
  selectPage as listConsumptions,
} from "./store.ts";
