export const rechargeCurrencies = ["USD", "TUSDT"] as const;
export type RechargeCurrency = (typeof rechargeCurrencies)[number];

export const rechargeStatuses = ["Pending", "Confirmed", "Rejected"] as const;
export type RechargeStatus = (typeof rechargeStatuses)[number];

/** Money that a merchant says it has paid into its reserve. */
export interface RechargeOrder {
  readonly merchantId: number;
  readonly merchantNo: string;
  readonly rechargeNo: string;
  /** Minor units of `currency`; both currencies have two decimals and are at par (contract section 9). */
  readonly amount: bigint;
  readonly currency: RechargeCurrency;
  /** The merchant's or its bank's text for the payment, unique per merchant. */
  readonly reference: string;
  readonly status: RechargeStatus;
  readonly createdAt: number;
  /** Unix ms; null while `Pending`. */
  readonly decidedAt: number | null;
}

export interface NewRecharge {
  readonly merchantId: number;
  readonly amount: bigint;
  readonly currency: RechargeCurrency;
  readonly reference: string;
}

export interface RechargeFilter {
  readonly merchantId?: number;
  readonly status?: RechargeStatus;
  readonly page: number;
  readonly size: number;
}

/** Minor units of USD. */
export interface Reserve {
  readonly available: bigint;
  readonly held: bigint;
}
