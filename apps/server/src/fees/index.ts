export { type Purchase, type PurchaseRates, purchaseFees, sumOfFees } from "./purchase.ts";
