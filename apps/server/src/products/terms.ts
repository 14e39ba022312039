import type { ExemptionType, FeeDetail, Limits, ManageFeeType, ManagementFeeFreeType } from "@cardwright/contract";
import { decimalsOf, formatAmount, parseAmount, parseRate, type Rate } from "@cardwright/money";
import type { LimitsInput } from "./input.ts";

/** Limits and fees are in US dollars (contract section 9, Money). */
const decimals = decimalsOf("USD");

/** Minor units of USD; zero allows nothing. */
export interface ProductLimits {
  readonly purchase: bigint;
  readonly week: bigint;
  readonly atmDay: bigint;
  readonly atmMonth: bigint;
}

/** So many are free, in a period that lasts for ever, never begins, or is a number of days. */
export interface FreeCount {
  readonly count: number;
  readonly type: ExemptionType;
  readonly days: number;
}

export interface ManagementFee {
  readonly type: ManageFeeType;
  readonly fee: bigint;
  readonly freeType: ManagementFeeFreeType;
  /** Minor units when `freeType` is `Amount`, a number of purchases when it is `Count`. */
  readonly freeThreshold: bigint;
}

/** The fees of contract section 3.1, ready to calculate with: rates are exact fractions, bigints minor units of USD. */
export interface ProductRates {
  readonly consumeRate: Rate;
  readonly crossConsumeRate: Rate;
  readonly refundRate: Rate;
  readonly atmRate: Rate;
  readonly openCost: bigint;
  readonly smallConsumeThreshold: bigint;
  readonly smallConsumeFee: bigint;
  readonly smallConsumeFree: FreeCount;
  readonly cancelFee: bigint;
  readonly cancelThreshold: bigint;
  readonly declineFee: bigint;
  readonly declineFree: FreeCount;
  readonly atmMinFee: bigint;
  readonly walletFee: bigint;
  readonly management: ManagementFee;
}

/** Limits and fees of one version of a product; a version never changes. */
export interface Terms {
  readonly productNo: string;
  readonly version: number;
  readonly limits: ProductLimits;
  readonly rates: ProductRates;
  /** The same fees as the wire shows them, all keys. */
  readonly feeDetail: Readonly<FeeDetail>;
}

/** Texts that the input rules have let through. */
export function parseLimits(limits: LimitsInput): ProductLimits {
  return {
    purchase: minor(limits.limit_balance),
    week: minor(limits.limit_week_balance),
    atmDay: minor(limits.limit_atm_day_balance),
    atmMonth: minor(limits.limit_atm_month_balance),
  };
}

/** `consumption_limit` and `balance_limit` of the wire (contract section 3.1). */
export function limitsObject(limits: ProductLimits): Limits {
  return {
    limit_balance: formatAmount(limits.purchase, decimals),
    limit_week_balance: formatAmount(limits.week, decimals),
    limit_atm_day_balance: formatAmount(limits.atmDay, decimals),
    limit_atm_month_balance: formatAmount(limits.atmMonth, decimals),
  };
}

/** `fee_detail` of the wire (contract section 3.1), all keys in its order. */
export function rateObject(terms: Pick<Terms, "feeDetail">): FeeDetail {
  return { ...terms.feeDetail };
}

export function parseRates(detail: FeeDetail): ProductRates {
  const isCount = detail.management_fee_free_type === "Count";
  return {
    consumeRate: fraction(detail.consume_rate),
    crossConsumeRate: fraction(detail.cross_consume_rate),
    refundRate: fraction(detail.refund_rate),
    atmRate: fraction(detail.atm_rate),
    openCost: minor(detail.open_cost),
    smallConsumeThreshold: minor(detail.small_consume_threshold),
    smallConsumeFee: minor(detail.small_consume_deduct),
    smallConsumeFree: {
      count: detail.free_small_consume_count,
      type: detail.free_small_excuse_type,
      days: detail.free_small_excuse_days,
    },
    cancelFee: minor(detail.consume_cancle_fee),
    cancelThreshold: minor(detail.consume_cancel_threshold),
    declineFee: minor(detail.decline_fee),
    declineFree: {
      count: detail.decline_fee_free_count,
      type: detail.decline_fee_free_type,
      days: detail.decline_fee_free_days,
    },
    atmMinFee: minor(detail.atm_min_fee),
    walletFee: minor(detail.apple_pay_fee),
    management: {
      type: detail.manage_fee_type,
      fee: minor(detail.manage_fee),
      freeType: detail.management_fee_free_type,
      freeThreshold: isCount
        ? BigInt(detail.free_management_fee_threshold)
        : minor(detail.free_management_fee_threshold),
    },
  };
}

/** Minor units of USD. */
export function minor(text: string): bigint {
  const amount = parseAmount(text, decimals);
  if (!amount.ok) throw new Error(`an amount in a product's terms is ${amount.reason}`);
  return amount.value;
}

export function fraction(text: string): Rate {
  const rate = parseRate(text);
  if (!rate.ok) throw new Error(`a rate in a product's terms is ${rate.reason}`);
  return rate.value;
}
