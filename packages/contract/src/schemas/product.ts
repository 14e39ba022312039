/** Packages, BINs, and the rate and limit objects of section 3.1, misspelt names included. */
import { z } from "zod";
import {
  CARD_TYPES,
  EXEMPTION_TYPES,
  MANAGE_FEE_TYPES,
  MANAGEMENT_FEE_FREE_TYPES,
  PACKAGE_TYPES,
} from "../constants.ts";
import { amount, count, described, listOf, oneOf, paging, text } from "./field.ts";

export const limits = z
  .object({
    limit_balance: amount({ description: "Most that one purchase may take, card currency.", example: "5000.00" }),
    limit_week_balance: amount({ description: "Most in a week, card currency.", example: "20000.00" }),
    limit_atm_day_balance: amount({ description: "Most cash in a day, card currency.", example: "1000.00" }),
    limit_atm_month_balance: amount({ description: "Most cash in a month, card currency.", example: "10000.00" }),
  })
  .meta({ description: "Spending limits of a product." });

export const feeDetail = z
  .object({
    consume_rate: amount({
      description: 'Rate added to a purchase in the card\'s currency, a fraction: `"0.05"` is 5 %.',
      example: "0.01",
    }),
    open_cost: amount({ description: "Cost of opening a card.", example: "1.00" }),
    cross_consume_rate: amount({
      description: "Rate added to a purchase in any other currency, a fraction.",
      example: "0.02",
    }),
    small_consume_threshold: amount({
      description: "Purchases below it also pay `small_consume_deduct`.",
      example: "5.00",
    }),
    small_consume_deduct: amount({ description: "Fee of a small purchase.", example: "0.30" }),
    free_small_consume_count: count("Small purchases without that fee, per card and exemption period.", 3),
    free_small_excuse_type: oneOf(EXEMPTION_TYPES, {
      description: "Exemption period of small purchases.",
      example: "Day",
    }),
    free_small_excuse_days: count("Days of that period when it is `Day`.", 30),
    refund_rate: amount({ description: "Rate of a refund, a fraction.", example: "0" }),
    consume_cancle_fee: amount({ description: "Fee of a purchase that is cancelled.", example: "0.50" }),
    consume_cancel_threshold: amount({ description: "Cancelling costs from this amount on.", example: "10.00" }),
    decline_fee: amount({ description: "Fee of a declined purchase.", example: "0.50" }),
    decline_fee_free_count: count("Declined purchases without that fee, per card and exemption period.", 5),
    decline_fee_free_type: oneOf(EXEMPTION_TYPES, {
      description: "Exemption period of declined purchases.",
      example: "Day",
    }),
    decline_fee_free_days: count("Days of that period when it is `Day`.", 30),
    atm_rate: amount({ description: "Rate of a cash withdrawal, a fraction.", example: "0.02" }),
    atm_min_fee: amount({ description: "Least fee of a cash withdrawal.", example: "2.00" }),
    apple_pay_fee: amount({ description: "Fee of a wallet authorization.", example: "0.10" }),
    manage_fee_type: oneOf(MANAGE_FEE_TYPES, {
      description: "How often the management fee is taken.",
      example: "Month",
    }),
    manage_fee: amount({ description: "Management fee of one period.", example: "1.00" }),
    management_fee_free_type: oneOf(MANAGEMENT_FEE_FREE_TYPES, {
      description: "What waives the management fee: the amount spent, or the number of purchases.",
      example: "Amount",
    }),
    free_management_fee_threshold: amount({
      description: "Waived when the period reaches this amount or number.",
      example: "500.00",
    }),
  })
  .meta({ description: "The fees of a package or card. Rates are fractions, fees are in the card's currency." });

export type FeeDetail = z.infer<typeof feeDetail>;
export type Limits = z.infer<typeof limits>;

/** The keys of `fee_detail` in wire order. */
export const RATE_KEYS: readonly (keyof FeeDetail)[] = feeDetail.keyof().options;
/** The keys of a limits object in wire order. */
export const LIMIT_KEYS: readonly (keyof Limits)[] = limits.keyof().options;

/** `fee_detail` of a card in authorization mode: all keys, nothing charged (section 9, "Empty values"). */
export const ZERO_FEE_DETAIL: Readonly<FeeDetail> = {
  consume_rate: "0",
  open_cost: "0.00",
  cross_consume_rate: "0",
  small_consume_threshold: "0.00",
  small_consume_deduct: "0.00",
  free_small_consume_count: 0,
  free_small_excuse_type: "None",
  free_small_excuse_days: 0,
  refund_rate: "0",
  consume_cancle_fee: "0.00",
  consume_cancel_threshold: "0.00",
  decline_fee: "0.00",
  decline_fee_free_count: 0,
  decline_fee_free_type: "None",
  decline_fee_free_days: 0,
  atm_rate: "0",
  atm_min_fee: "0.00",
  apple_pay_fee: "0.00",
  manage_fee_type: "None",
  manage_fee: "0.00",
  management_fee_free_type: "None",
  free_management_fee_threshold: "0.00",
};

export const packageNo = text({ description: "Our number of the package.", example: "P202605220001" });
export const cardBinNo = text({ description: "Our number of the BIN.", example: "B202605220001" });
export const organization = text({ description: "Card organization.", example: "VISA" });
const cardBin = text({ description: "First digits of the product's card numbers.", example: "40000012" });

export const packageListBody = z.object({
  type: oneOf(CARD_TYPES, { description: "Only packages that offer this card type.", example: "Virtual" }).optional(),
  package_no: packageNo.optional(),
  ...paging,
});

export const packageListData = listOf(
  z.object({
    package_no: packageNo,
    package_en_name: text({ description: "English name.", example: "Everyday" }),
    package_cn_name: text({ description: "Chinese name.", example: "日常卡" }),
    card_bin: cardBin,
    card_bin_no: cardBinNo,
    organization,
    package_type: oneOf(PACKAGE_TYPES, { description: "Card types it offers.", example: "Virtual,Physical" }),
    en_desc: text({ description: "English description.", example: "For daily purchases worldwide." }),
    cn_desc: text({ description: "Chinese description.", example: "适合全球日常消费。" }),
    en_tag_list: described(z.array(z.string()), { description: "English tags.", example: ["Apple Pay", "Online"] }),
    cn_tag_list: described(z.array(z.string()), { description: "Chinese tags.", example: ["Apple Pay", "线上"] }),
    consumption_limit: limits,
    fee_detail: feeDetail,
  }),
);

export const supportBinsBody = z.object({ card_bin_no: cardBinNo.optional(), ...paging });

export const supportBinsData = listOf(
  z.object({
    card_bin_no: cardBinNo,
    card_bin: cardBin,
    organization,
    support_physical: described(z.boolean(), { description: "Physical cards can be made.", example: true }),
    support_virtual: described(z.boolean(), { description: "Virtual cards can be made.", example: true }),
    currencies: described(z.array(z.string()), { description: "Card currencies, ISO 4217.", example: ["USD"] }),
    balance_limit: limits,
  }),
);
