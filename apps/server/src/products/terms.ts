import {
  type ExemptionType,
  type FeeDetail,
  LIMIT_KEYS,
  type Limits,
  type ManageFeeType,
  type ManagementFeeFreeType,
  RATE_KEYS,
  ZERO_FEE_DETAIL,
} from "@cardwright/contract";
import { decimalsOf, formatAmount, formatRate, parseAmount, parseRate, type Rate } from "@cardwright/money";
import { ok, type Result, refused } from "#kernel/index.ts";
import type { LimitsInput, RatesInput } from "./input.ts";
import type { InvalidInput } from "./refusals.ts";

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

export interface ManagementFee {
  readonly type: ManageFeeType;
  readonly fee: bigint;
  readonly freeType: ManagementFeeFreeType;
  /** Minor units when `freeType` is `Amount`, purchases when it is `Count`. */
  readonly freeThreshold: bigint;
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
  const texts: Record<keyof Limits, bigint> = {
    limit_balance: limits.purchase,
    limit_week_balance: limits.week,
    limit_atm_day_balance: limits.atmDay,
    limit_atm_month_balance: limits.atmMonth,
  };
  const text = (key: keyof Limits): string => formatAmount(texts[key], decimals);
  const [first, second, third, fourth] = LIMIT_KEYS;
  if (first === undefined || second === undefined || third === undefined || fourth === undefined) {
    throw new Error("the contract names other limits than this room");
  }
  return {
    limit_balance: text("limit_balance"),
    limit_week_balance: text("limit_week_balance"),
    limit_atm_day_balance: text("limit_atm_day_balance"),
    limit_atm_month_balance: text("limit_atm_month_balance"),
  };
}
