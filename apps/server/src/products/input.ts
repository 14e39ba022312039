import { EXEMPTION_TYPES, MANAGE_FEE_TYPES, MANAGEMENT_FEE_FREE_TYPES } from "@cardwright/contract";
import { isCurrency } from "@cardwright/money";
import { z } from "zod";

/**
 * What an operator says about a product. The shapes are plain enough to become JSON schemas, so the operator's API checks a
 * call by the very same rules; what a JSON schema cannot say is checked here alone.
 */

/** 13 integer digits in minor units stay far inside a bigint, also when many are added. */
const amount = z.string().regex(/^[0-9]{1,13}(?:\.[0-9]{1,2})?$/u);
/** A fraction from 0 to 1: `"0.05"` is 5 %. Above 1 somebody has written percent. */
const rate = z
  .string()
  .regex(/^(?:0(?:\.[0-9]{1,12})?|1(?:\.0{1,12})?)$/u)
  .exactOptional();
const fee = amount.exactOptional();
const count = z.int().min(0).max(1_000_000).exactOptional();
/** Ten years. */
const days = z.int().min(0).max(3_660).exactOptional();

/** One purchase, a week, cash of a day and of a month (contract section 3.1), USD. */
export const limitsShape = {
  limit_balance: amount,
  limit_week_balance: amount,
  limit_atm_day_balance: amount,
  limit_atm_month_balance: amount,
};

/** The names of contract section 3.1, misspelt ones included, in its order; what is not given costs nothing. */
export const ratesShape = {
  consume_rate: rate,
  open_cost: fee,
  cross_consume_rate: rate,
  small_consume_threshold: fee,
  small_consume_deduct: fee,
  free_small_consume_count: count,
  free_small_excuse_type: z.enum(EXEMPTION_TYPES).exactOptional(),
  free_small_excuse_days: days,
  refund_rate: rate,
  consume_cancle_fee: fee,
  consume_cancel_threshold: fee,
  decline_fee: fee,
  decline_fee_free_count: count,
  decline_fee_free_type: z.enum(EXEMPTION_TYPES).exactOptional(),
  decline_fee_free_days: days,
  atm_rate: rate,
  atm_min_fee: fee,
  apple_pay_fee: fee,
  manage_fee_type: z.enum(MANAGE_FEE_TYPES).exactOptional(),
  manage_fee: fee,
  management_fee_free_type: z.enum(MANAGEMENT_FEE_FREE_TYPES).exactOptional(),
  /** An amount, or a whole number of purchases when the type is `Count`. */
  free_management_fee_threshold: fee,
};

export const limitsInput = z.strictObject(limitsShape);
export const limitsChange = z.strictObject({
  limit_balance: fee,
  limit_week_balance: fee,
  limit_atm_day_balance: fee,
  limit_atm_month_balance: fee,
});
export const ratesInput = z.strictObject(ratesShape);

const line = z.string().regex(/^(?=.*\S)[^\p{Cc}\u2028\u2029]*$/u);
/** Line breaks and tabs are kept. */
const paragraphs = z.string().regex(/^(?:\P{Cc}|[\t\n\r])*$/u);
const tags = z.array(line.max(32)).max(20);
/** Ids of merchants; null: every merchant. */
const offeredTo = z.array(z.int().min(1).max(2_147_483_647)).max(200).nullable();

/** Everything about a product that both kinds have and that may change. */
const offerShape = {
  supportVirtual: z.boolean(),
  supportPhysical: z.boolean(),
  /** Cards that are not deleted, of one cardholder. */
  cardsPerCardholderMax: z.int().min(1).max(10_000),
  offeredTo,
};

const offerChange = {
  supportVirtual: z.boolean().exactOptional(),
  supportPhysical: z.boolean().exactOptional(),
  cardsPerCardholderMax: offerShape.cardsPerCardholderMax.exactOptional(),
  offeredTo: offeredTo.exactOptional(),
  limits: limitsChange.exactOptional(),
  rates: ratesInput.exactOptional(),
};

const currencies = z
  .array(z.string().regex(/^[A-Z]{3,5}$/u))
  .min(1)
  .max(20);

export const binShape = {
  /** First digits of the card numbers. Shorter than 6 is no BIN, longer than 8 no network routes by. */
  bin: z.string().regex(/^[0-9]{6,11}$/u),
  panLength: z.int().min(13).max(19),
  organization: line.max(32),
  currencies,
  validMonths: z.int().min(1).max(120),
  ...offerShape,
};

export const packageShape = {
  cardBinNo: z.string().min(1).max(32),
  enName: line.max(64),
  cnName: line.max(64),
  enDesc: paragraphs.max(2000),
  cnDesc: paragraphs.max(2000),
  enTagList: tags,
  cnTagList: tags,
  ...offerShape,
};

export const statusShape = z.enum(["On", "Off"]);

const knownCurrencies = currencies.refine(
  (codes) => !codes.some((code) => !isCurrency(code)),
  "must be codes of ISO 4217",
);

export const newBin = z.strictObject({
  bin: binShape.bin,
  panLength: binShape.panLength.exactOptional(),
  organization: binShape.organization,
  currencies: knownCurrencies.exactOptional(),
  validMonths: binShape.validMonths.exactOptional(),
  supportVirtual: binShape.supportVirtual,
  supportPhysical: binShape.supportPhysical,
  cardsPerCardholderMax: binShape.cardsPerCardholderMax.exactOptional(),
  offeredTo: offeredTo.exactOptional(),
  limits: limitsInput,
  rates: ratesInput.exactOptional(),
});

export const binChange = z.strictObject({
  status: statusShape.exactOptional(),
  currencies: knownCurrencies.exactOptional(),
  validMonths: binShape.validMonths.exactOptional(),
  ...offerChange,
});

export const newPackage = z.strictObject({
  cardBinNo: packageShape.cardBinNo,
  enName: packageShape.enName,
  cnName: packageShape.cnName,
  enDesc: packageShape.enDesc.exactOptional(),
  cnDesc: packageShape.cnDesc.exactOptional(),
  enTagList: tags.exactOptional(),
  cnTagList: tags.exactOptional(),
  supportVirtual: packageShape.supportVirtual,
  supportPhysical: packageShape.supportPhysical,
  cardsPerCardholderMax: packageShape.cardsPerCardholderMax.exactOptional(),
  offeredTo: offeredTo.exactOptional(),
  limits: limitsInput,
  rates: ratesInput.exactOptional(),
});

export const packageChange = z.strictObject({
  status: statusShape.exactOptional(),
  enName: packageShape.enName.exactOptional(),
  cnName: packageShape.cnName.exactOptional(),
  enDesc: packageShape.enDesc.exactOptional(),
  cnDesc: packageShape.cnDesc.exactOptional(),
  enTagList: tags.exactOptional(),
  cnTagList: tags.exactOptional(),
  ...offerChange,
});

export type LimitsInput = z.infer<typeof limitsInput>;
export type RatesInput = z.infer<typeof ratesInput>;
export type NewBin = z.infer<typeof newBin>;
export type BinChange = z.infer<typeof binChange>;
export type NewPackage = z.infer<typeof newPackage>;
export type PackageChange = z.infer<typeof packageChange>;
