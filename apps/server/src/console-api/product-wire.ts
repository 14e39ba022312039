import { feeDetail, limits } from "@cardwright/contract";
import { z } from "zod";
import {
  type Bin,
  binShape,
  limitsObject,
  limitsShape,
  type Package,
  type Product,
  packageShape,
  rateObject,
  ratesShape,
  statusShape,
} from "#products/index.ts";
import { publicNumber, timeMs } from "./request-parts.ts";

/** The bodies of products, in snake case, by the very rules of the products room. */
const limitsBody = z.strictObject(limitsShape).meta({
  description: "USD: one purchase, a week, cash of a day, cash of a month.",
});
const limitsChange = z.strictObject({
  limit_balance: limitsShape.limit_balance.exactOptional(),
  limit_week_balance: limitsShape.limit_week_balance.exactOptional(),
  limit_atm_day_balance: limitsShape.limit_atm_day_balance.exactOptional(),
  limit_atm_month_balance: limitsShape.limit_atm_month_balance.exactOptional(),
});
const ratesBody = z.strictObject(ratesShape).meta({
  description: "Rates are fractions (0.05 is 5 %), fees are USD. What is not given costs nothing, or stays.",
});
const offeredTo = z
  .array(publicNumber)
  .max(200)
  .nullable()
  .meta({ description: "Numbers of the merchants that may use it; null: all." });

const offerShape = {
  support_virtual: binShape.supportVirtual,
  support_physical: binShape.supportPhysical,
  cards_per_cardholder_max: binShape.cardsPerCardholderMax.exactOptional(),
  offered_to: offeredTo.exactOptional(),
  limits: limitsBody,
  rates: ratesBody.exactOptional(),
};
const offerChange = {
  ...offerShape,
  status: statusShape.exactOptional(),
  support_virtual: binShape.supportVirtual.exactOptional(),
  support_physical: binShape.supportPhysical.exactOptional(),
  limits: limitsChange.exactOptional(),
};

export const newBinBody = z.strictObject({
  bin: binShape.bin,
  pan_length: binShape.panLength.exactOptional(),
  organization: binShape.organization,
  currencies: binShape.currencies.exactOptional(),
  valid_months: binShape.validMonths.exactOptional(),
  ...offerShape,
});
export const binChangeBody = z.strictObject({
  currencies: binShape.currencies.exactOptional(),
  valid_months: binShape.validMonths.exactOptional(),
  ...offerChange,
});
export const newPackageBody = z.strictObject({
  card_bin_no: publicNumber,
  en_name: packageShape.enName,
  cn_name: packageShape.cnName,
  en_desc: packageShape.enDesc.exactOptional(),
  cn_desc: packageShape.cnDesc.exactOptional(),
  en_tag_list: packageShape.enTagList.exactOptional(),
  cn_tag_list: packageShape.cnTagList.exactOptional(),
  ...offerShape,
});
export const packageChangeBody = z.strictObject({
  en_name: packageShape.enName.exactOptional(),
  cn_name: packageShape.cnName.exactOptional(),
  en_desc: packageShape.enDesc.exactOptional(),
  cn_desc: packageShape.cnDesc.exactOptional(),
  en_tag_list: packageShape.enTagList.exactOptional(),
  cn_tag_list: packageShape.cnTagList.exactOptional(),
  ...offerChange,
});

const productAnswer = {
  status: statusShape,
  support_virtual: z.boolean(),
  support_physical: z.boolean(),
  cards_per_cardholder_max: z.int(),
  offered_to: z.array(z.string()).nullable(),
  terms_version: z.int().meta({ description: "Goes up when limits or rates change; cards keep theirs." }),
  limits,
  rates: feeDetail,
  created_at: timeMs,
};
export const binAnswer = z.strictObject({
  card_bin_no: z.string(),
  bin: z.string(),
  pan_length: z.int(),
  organization: z.string(),
  currencies: z.array(z.string()),
  valid_months: z.int(),
  ...productAnswer,
});
export const packageAnswer = z.strictObject({
  package_no: z.string(),
  card_bin_no: z.string(),
  en_name: z.string(),
  cn_name: z.string(),
  en_desc: z.string(),
  cn_desc: z.string(),
  en_tag_list: z.array(z.string()),
  cn_tag_list: z.array(z.string()),
  ...productAnswer,
});

type Offer = string[] | null;

export function binToWire(bin: Bin, offeredTo: Offer): z.infer<typeof binAnswer> {
  return {
    card_bin_no: bin.cardBinNo,
    bin: bin.bin,
    pan_length: bin.panLength,
    organization: bin.organization,
    currencies: [...bin.currencies],
    valid_months: bin.validMonths,
    ...productToWire(bin, offeredTo),
  };
}

export function packageToWire(product: Package, offeredTo: Offer): z.infer<typeof packageAnswer> {
  return {
    package_no: product.packageNo,
    card_bin_no: product.cardBinNo,
    en_name: product.enName,
    cn_name: product.cnName,
    en_desc: product.enDesc,
    cn_desc: product.cnDesc,
    en_tag_list: [...product.enTagList],
    cn_tag_list: [...product.cnTagList],
    ...productToWire(product, offeredTo),
  };
}

function productToWire(product: Product, offeredTo: Offer) {
  return {
    status: product.status,
    support_virtual: product.supportVirtual,
    support_physical: product.supportPhysical,
    cards_per_cardholder_max: product.cardsPerCardholderMax,
    offered_to: offeredTo,
    terms_version: product.termsVersion,
    limits: limitsObject(product.limits),
    rates: rateObject(product),
    created_at: product.createdAt,
  };
}
