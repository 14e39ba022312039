import { type FeeDetail, ZERO_FEE_DETAIL } from "@cardwright/contract";
import { decimalsOf, formatAmount, formatRate } from "@cardwright/money";
import { ok, type Result, refused } from "#kernel/index.ts";
import type { RatesInput } from "./input.ts";
import type { InvalidInput } from "./refusals.ts";
import { fraction, minor } from "./terms.ts";

/**
 * All keys of contract section 3.1 in its order and normal form: amounts with two decimals, rates in their shortest text. What
 * is not given costs nothing. A threshold that counts purchases stays a whole number.
 */
export function completeFees(input: RatesInput): Result<FeeDetail, InvalidInput> {
  const given: FeeDetail = { ...ZERO_FEE_DETAIL, ...input };
  const isCount = given.management_fee_free_type === "Count";
  const threshold = given.free_management_fee_threshold.replace(/\.0+$/u, "");
  if (isCount && threshold.includes(".")) {
    const field = "rates.free_management_fee_threshold";
    return refused({ field, message: "must be a whole number when management_fee_free_type is Count" });
  }
  return ok({
    consume_rate: rateText(given.consume_rate),
    open_cost: amountText(given.open_cost),
    cross_consume_rate: rateText(given.cross_consume_rate),
    small_consume_threshold: amountText(given.small_consume_threshold),
    small_consume_deduct: amountText(given.small_consume_deduct),
    free_small_consume_count: given.free_small_consume_count,
    free_small_excuse_type: given.free_small_excuse_type,
    free_small_excuse_days: given.free_small_excuse_days,
    refund_rate: rateText(given.refund_rate),
    consume_cancle_fee: amountText(given.consume_cancle_fee),
    consume_cancel_threshold: amountText(given.consume_cancel_threshold),
    decline_fee: amountText(given.decline_fee),
    decline_fee_free_count: given.decline_fee_free_count,
    decline_fee_free_type: given.decline_fee_free_type,
    decline_fee_free_days: given.decline_fee_free_days,
    atm_rate: rateText(given.atm_rate),
    atm_min_fee: amountText(given.atm_min_fee),
    apple_pay_fee: amountText(given.apple_pay_fee),
    manage_fee_type: given.manage_fee_type,
    manage_fee: amountText(given.manage_fee),
    management_fee_free_type: given.management_fee_free_type,
    free_management_fee_threshold: isCount
      ? String(BigInt(threshold))
      : amountText(given.free_management_fee_threshold),
  });
}

function amountText(text: string): string {
  return formatAmount(minor(text), decimalsOf("USD"));
}

function rateText(text: string): string {
  return formatRate(fraction(text));
}
