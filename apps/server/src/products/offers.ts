import type { CardType, PackageType, packageListData, supportBinsData } from "@cardwright/contract";
import type { z } from "zod";
import { ok, type Result, refused } from "#kernel/index.ts";
import type { ProductsDeps } from "./deps.ts";
import type { Bin, CardProduct } from "./product.ts";
import type { OfferRefusal } from "./refusals.ts";
import { type OfferedPackage, selectOfferedBins, selectOfferedPackages } from "./store.ts";
import { limitsObject, minor, rateObject } from "./terms.ts";

/** One row of `card/package/list` and of `card/support/bins` (contract section 3), ready for the wire. */
export type PackageRow = z.infer<typeof packageListData>["list"][number];
export type BinRow = z.infer<typeof supportBinsData>["list"][number];

export interface Page {
  /** From zero. */
  readonly page: number;
  readonly size: number;
}

/** The packages a merchant may open cards on, newest first. */
export async function listOfferedPackages(
  deps: ProductsDeps,
  filter: Page & { readonly merchantId: number; readonly type?: CardType; readonly packageNo?: string },
): Promise<PackageRow[]> {
  const { merchantId, type = null, packageNo = null, page, size } = filter;
  const packages = await selectOfferedPackages(deps.pool, { merchantId, type, packageNo, page, size });
  return packages.map(packageRow);
}

/** The BINs a merchant may open cards on, newest first. */
export async function listOfferedBins(
  deps: ProductsDeps,
  filter: Page & { readonly merchantId: number; readonly cardBinNo?: string },
): Promise<BinRow[]> {
  const { merchantId, cardBinNo = null, page, size } = filter;
  const bins = await selectOfferedBins(deps.pool, { merchantId, cardBinNo, page, size });
  return bins.map(binRow);
}

export type ProductChoice = { readonly packageNo: string } | { readonly cardBinNo: string };

/** The product a card is opened on; refused when it does not exist, is off or is not offered to the merchant (4002, 4003). */
export async function productForApplication(
  deps: ProductsDeps,
  choice: ProductChoice & { readonly merchantId: number },
): Promise<Result<CardProduct, OfferRefusal>> {
  const { merchantId } = choice;
  if ("packageNo" in choice) {
    const filter = { merchantId, packageNo: choice.packageNo, type: null, page: 0, size: 1 };
    const [product] = await selectOfferedPackages(deps.pool, filter);
    if (product === undefined) return refused("package_not_available");
    const [bin] = await selectOfferedBins(deps.pool, { merchantId, cardBinNo: product.cardBinNo, page: 0, size: 1 });
    return bin === undefined ? refused("package_not_available") : ok(cardProduct(bin, product));
  }
  const [bin] = await selectOfferedBins(deps.pool, { merchantId, cardBinNo: choice.cardBinNo, page: 0, size: 1 });
  return bin === undefined ? refused("bin_not_available") : ok(cardProduct(bin, null));
}

function cardProduct(bin: Bin, product: OfferedPackage | null): CardProduct {
  const { supportVirtual, supportPhysical, cardsPerCardholderMax } = product ?? bin;
  return {
    cardBinNo: bin.cardBinNo,
    binTermsVersion: bin.termsVersion,
    packageNo: product?.packageNo ?? null,
    packageTermsVersion: product?.termsVersion ?? null,
    bin: bin.bin,
    panLength: bin.panLength,
    organization: bin.organization,
    supportVirtual,
    supportPhysical,
    validMonths: bin.validMonths,
    cardsPerCardholderMax,
    openCost: {
      cardholder: product === null ? 0n : minor(product.feeDetail.open_cost),
      reserve: minor(bin.feeDetail.open_cost),
    },
  };
}

function packageRow(product: OfferedPackage): PackageRow {
  return {
    package_no: product.packageNo,
    package_en_name: product.enName,
    package_cn_name: product.cnName,
    card_bin: product.bin,
    card_bin_no: product.cardBinNo,
    organization: product.organization,
    package_type: packageType(product),
    en_desc: product.enDesc,
    cn_desc: product.cnDesc,
    en_tag_list: [...product.enTagList],
    cn_tag_list: [...product.cnTagList],
    consumption_limit: limitsObject(product.limits),
    fee_detail: rateObject(product),
  };
}

function packageType(product: OfferedPackage): PackageType {
  if (product.supportVirtual && product.supportPhysical) return "Virtual,Physical";
  return product.supportVirtual ? "Virtual" : "Physical";
}

function binRow(bin: Bin): BinRow {
  return {
    card_bin_no: bin.cardBinNo,
    card_bin: bin.bin,
    organization: bin.organization,
    support_physical: bin.supportPhysical,
    support_virtual: bin.supportVirtual,
    currencies: [...bin.currencies],
    balance_limit: limitsObject(bin.limits),
  };
}
