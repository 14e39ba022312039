import type { CardType } from "@cardwright/contract";
import type { Initiator } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import { createBin, updateBin } from "./bins.ts";
import type { ProductsDeps } from "./deps.ts";
import type { BinChange, NewBin, NewPackage, PackageChange } from "./input.ts";
import {
  type BinRow,
  listOfferedBins,
  listOfferedPackages,
  type PackageRow,
  type Page,
  type ProductChoice,
  productForApplication,
} from "./offers.ts";
import { createPackage, updatePackage } from "./packages.ts";
import type { Bin, CardProduct, Package } from "./product.ts";
import type { OfferRefusal, ProductRefusal } from "./refusals.ts";
import { selectBin, selectBins, selectPackage, selectPackages } from "./store.ts";
import type { Terms } from "./terms.ts";
import { createTermsCache, type TermsKey } from "./terms-cache.ts";

/**
 * BINs and packages with their fees and limits. Every change is written into the platform's audit chain in its own
 * transaction, in the name of `by`. Lists are newest first; their size is the caller's to bound.
 */
export interface Products {
  createBin(input: NewBin, by: Initiator): Promise<Result<Bin, ProductRefusal>>;
  updateBin(
    input: { readonly cardBinNo: string; readonly change: BinChange },
    by: Initiator,
  ): Promise<Result<Bin, ProductRefusal>>;
  findBin(cardBinNo: string): Promise<Bin | null>;
  /** All of them, also those that are off. */
  allBins(page: Page): Promise<Bin[]>;
  createPackage(input: NewPackage, by: Initiator): Promise<Result<Package, ProductRefusal>>;
  updatePackage(
    input: { readonly packageNo: string; readonly change: PackageChange },
    by: Initiator,
  ): Promise<Result<Package, ProductRefusal>>;
  findPackage(packageNo: string): Promise<Package | null>;
  allPackages(page: Page): Promise<Package[]>;

  /** Rows of `card/package/list` (contract section 3), of what is on and offered to the merchant. */
  listPackages(
    filter: Page & { readonly merchantId: number; readonly type?: CardType; readonly packageNo?: string },
  ): Promise<PackageRow[]>;
  /** Rows of `card/support/bins` (contract section 3). */
  listBins(filter: Page & { readonly merchantId: number; readonly cardBinNo?: string }): Promise<BinRow[]>;
  /** What a card is opened on (contract section 3, `card/apply`: 4002, 4003). */
  forApplication(choice: ProductChoice & { readonly merchantId: number }): Promise<Result<CardProduct, OfferRefusal>>;
  /** Limits and fees of one version, from memory when it was used lately. Throws for a version that never was. */
  terms(key: TermsKey): Promise<Terms>;
}

export function createProducts(deps: ProductsDeps): Products {
  const terms = createTermsCache(deps.pool);
  return {
    createBin: (input, by) => createBin(deps, input, by),
    updateBin: (input, by) => updateBin(deps, input, by),
    findBin: (cardBinNo) => selectBin(deps.pool, cardBinNo),
    allBins: (page) => selectBins(deps.pool, page),
    createPackage: (input, by) => createPackage(deps, input, by),
    updatePackage: (input, by) => updatePackage(deps, input, by),
    findPackage: (packageNo) => selectPackage(deps.pool, packageNo),
    allPackages: (page) => selectPackages(deps.pool, page),
    listPackages: (filter) => listOfferedPackages(deps, filter),
    listBins: (filter) => listOfferedBins(deps, filter),
    forApplication: (choice) => productForApplication(deps, choice),
    terms: (key) => terms(key),
  };
}
