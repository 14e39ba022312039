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
const rate = z.string().regex(/^(?:0(?:\.[0-9]{1,12})?|1(?:\.0{1,12})?)$/u);
const count = z.int().min(0).max(1_000_000);
/** Ten years. */
const days = z.int().min(0).max(3_660);

/** One purchase, a week, cash of a day and of a month (contract section 3.1), USD. */
export const limitsShape = {
  limit_balance: amount,
  limit_week_balance: amount,
  limit_atm_day_balance: amount,
  limit_atm_month_balance: amount,
};

/** The names of contract section 3.1, misspelt ones included, in its order. */
export const ratesShape = {
  consume_rate: rate,
  open_cost: amount,
  cross_consume_rate: rate,
  small_consume_threshold: amount,
  small_consume_deduct: amount,
  free_small_consume_count: count,
  free_small_excuse_type: z.enum(EXEMPTION_TYPES),
  free_small_excuse_days: days,
  refund_rate: rate,
  consume_cancle_fee: amount,
  consume_cancel_threshold: amount,
  decline_fee: amount,
  decline_fee_free_count: count,
  decline_fee_free_type: z.enum(EXEMPTION_TYPES),
  decline_fee_free_days: days,
  atm_rate: rate,
  atm_min_fee: amount,
  apple_pay_fee: amount,
  manage_fee_type: z.enum(MANAGE_FEE_TYPES),
  manage_fee: amount,
  management_fee_free_type: z.enum(MANAGEMENT_FEE_FREE_TYPES),
  /** An amount, or a whole number of purchases when the type is `Count`. */
  free_management_fee_threshold: amount,
};

export const limitsInput = z.strictObject(limitsShape);
export const limitsChange = limitsInput.partial();
export const ratesInput = z.strictObject(ratesShape).partial();

const line = z.string().regex(/^(?=.*\S)[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/u);
/** Line breaks and tabs are kept. */
const paragraphs = z.string().regex(/^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$/u);
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

const knownCurrencies = currencies.refine((codes) => codes.every(isCurrency), "a code is not of ISO 4217");

export const newBin = z.strictObject({
  bin: binShape.bin,
  panLength: binShape.panLength.optional(),
  organization: binShape.organization,
  currencies: knownCurrencies.optional(),
  validMonths: binShape.validMonths.optional(),
  supportVirtual: binShape.supportVirtual,
  supportPhysical: binShape.supportPhysical,
  cardsPerCardholderMax: binShape.cardsPerCardholderMax.optional(),
  offeredTo: offeredTo.optional(),
  limits: limitsInput,
  rates: ratesInput.optional(),
});

export const binChange = z
  .strictObject({
    status: statusShape,
    currencies: knownCurrencies,
    validMonths: binShape.validMonths,
    ...offerShape,
    limits: limitsChange,
    rates: ratesInput,
  })
  .partial();

export const newPackage = z.strictObject({
  cardBinNo: packageShape.cardBinNo,
  enName: packageShape.enName,
  cnName: packageShape.cnName,
  enDesc: packageShape.enDesc.optional(),
  cnDesc: packageShape.cnDesc.optional(),
  enTagList: tags.optional(),
  cnTagList: tags.optional(),
  supportVirtual: packageShape.supportVirtual,
  supportPhysical: packageShape.supportPhysical,
  cardsPerCardholderMax: packageShape.cardsPerCardholderMax.optional(),
  offeredTo: offeredTo.optional(),
  limits: limitsInput,
  rates: ratesInput.optional(),
});

export const packageChange = z
  .strictObject({
    status: statusShape,
    enName: packageShape.enName,
    cnName: packageShape.cnName,
    enDesc: packageShape.enDesc,
    cnDesc: packageShape.cnDesc,
    enTagList: tags,
    cnTagList: tags,
    ...offerShape,
    limits: limitsChange,
    rates: ratesInput,
  })
  .partial();

export type LimitsInput = z.infer<typeof limitsInput>;
export type RatesInput = z.infer<typeof ratesInput>;
export type NewBin = z.infer<typeof newBin>;
export type BinChange = z.infer<typeof binChange>;
export type NewPackage = z.infer<typeof newPackage>;
export type PackageChange = z.infer<typeof packageChange>;
