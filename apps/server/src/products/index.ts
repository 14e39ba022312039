/** BINs and packages: what cards are opened on, what they cost and how much they may spend. */
export {
  type BinChange,
  binShape,
  limitsShape,
  type NewBin,
  type NewPackage,
  type PackageChange,
  packageShape,
  ratesShape,
  statusShape,
} from "./input.ts";
export type { BinRow, PackageRow, ProductChoice } from "./offers.ts";
export type { Bin, CardProduct, Package, Product, ProductStatus } from "./product.ts";
export { createProducts, type Products } from "./products.ts";
export type { InvalidInput, OfferRefusal, ProductRefusal } from "./refusals.ts";
export {
  type FreeCount,
  limitsObject,
  type ManagementFee,
  type ProductLimits,
  type ProductRates,
  rateObject,
  type Terms,
} from "./terms.ts";
