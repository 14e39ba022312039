import { expect, test } from "vitest";
import { feeDetail, LIMIT_KEYS, limits, RATE_KEYS, ZERO_FEE_DETAIL } from "./product.ts";

const SECTION_3_1 =
  "consume_rate, open_cost, cross_consume_rate, small_consume_threshold, small_consume_deduct, free_small_consume_count, free_small_excuse_type, free_small_excuse_days, refund_rate, consume_cancle_fee, consume_cancel_threshold, decline_fee, decline_fee_free_count, decline_fee_free_type, decline_fee_free_days, atm_rate, atm_min_fee, apple_pay_fee, manage_fee_type, manage_fee, management_fee_free_type, free_management_fee_threshold";

test("the fee keys are those of section 3.1, misspelt names included", () => {
  expect(RATE_KEYS.join(", ")).toBe(SECTION_3_1);
});

test("counts and days are numbers, the rest are texts", () => {
  for (const key of RATE_KEYS) {
    expect(typeof ZERO_FEE_DETAIL[key]).toBe(/_(count|days)$/.test(key) ? "number" : "string");
  }
});

test("the zero fees are a complete fee object in wire order", () => {
  expect(feeDetail.parse(ZERO_FEE_DETAIL)).toEqual(ZERO_FEE_DETAIL);
  expect(Object.keys(ZERO_FEE_DETAIL)).toEqual(RATE_KEYS);
});

test("the limit keys are those of section 3.1", () => {
  expect(LIMIT_KEYS).toEqual([
    "limit_balance",
    "limit_week_balance",
    "limit_atm_day_balance",
    "limit_atm_month_balance",
  ]);
  expect(limits.safeParse({ limit_balance: 1 }).success).toBe(false);
});
