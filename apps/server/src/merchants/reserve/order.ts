import type { MerchantAccountKind } from "#ledger/index.ts";

export const reserveOrderKinds = ["withdrawal", "adjustment"] as const;
export type ReserveOrderKind = (typeof reserveOrderKinds)[number];

export const reserveOrderStatuses = ["Pending", "Booked", "Cancelled"] as const;
export type ReserveOrderStatus = (typeof reserveOrderStatuses)[number];

/** `credit`: money comes into the reserve; `debit`: it leaves. */
export const adjustmentDirections = ["credit", "debit"] as const;
export type AdjustmentDirection = (typeof adjustmentDirections)[number];

/** What was wrong, which says who bears the adjustment. */
export const adjustmentCategories = [
  "recharge_correction",
  "settlement_correction",
  "fee_correction",
  "goodwill",
] as const;
export type AdjustmentCategory = (typeof adjustmentCategories)[number];

/** The account on the other side: payments of the merchant, the card network, the platform's own income. */
export const accountOfCategory: Record<AdjustmentCategory, MerchantAccountKind> = {
  recharge_correction: "funding",
  settlement_correction: "settlement",
  fee_correction: "platform_income",
  goodwill: "platform_income",
};

interface Asked {
  readonly merchantId: number;
  /** Minor units of USD. */
  readonly amount: bigint;
  /** Names the order, once per merchant. */
  readonly reference: string;
}

export interface NewWithdrawal extends Asked {
  /** Where the money goes, in the operator's words. */
  readonly destination: string;
}

export interface NewAdjustment extends Asked {
  readonly direction: AdjustmentDirection;
  readonly category: AdjustmentCategory;
  readonly reason: string;
}

/** What an order says; the parts that its kind does not have are empty. */
export interface ReserveOrderContent extends Asked {
  readonly kind: ReserveOrderKind;
  readonly direction: AdjustmentDirection;
  readonly destination: string;
  readonly category: AdjustmentCategory | "";
  readonly reason: string;
}

/** Money that one operator wants to leave or enter a reserve, and another has to approve. */
export interface ReserveOrder extends ReserveOrderContent {
  readonly merchantNo: string;
  readonly orderNo: string;
  readonly status: ReserveOrderStatus;
  /** Names of operators; `decidedBy` and `decidedAt` (Unix ms) are null while `Pending`. */
  readonly askedBy: string;
  readonly decidedBy: string | null;
  readonly createdAt: number;
  readonly decidedAt: number | null;
}

export interface ReserveOrderFilter {
  readonly merchantId?: number;
  readonly kind?: ReserveOrderKind;
  readonly status?: ReserveOrderStatus;
  readonly page: number;
  readonly size: number;
}

export type ReserveOrderRefusal =
  | "merchant_unknown"
  | "reserve_order_unknown"
  | "reserve_order_booked"
  | "reserve_order_cancelled"
  | "own_order"
  | "reserve_too_low"
  | "reference_reused"
  | "reference_invalid"
  | "destination_invalid"
  | "reason_invalid"
  | "amount_invalid";
