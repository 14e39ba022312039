import type { FeeDetail } from "@cardwright/contract";
import type { ProductLimits } from "./terms.ts";

export type ProductStatus = "On" | "Off";

/** What a BIN and a package have in common. */
export interface Product {
  readonly status: ProductStatus;
  readonly supportVirtual: boolean;
  readonly supportPhysical: boolean;
  /** Cards that are not deleted, of one cardholder. */
  readonly cardsPerCardholderMax: number;
  /** Ids of the merchants that may use it; null: all. */
  readonly offeredTo: readonly number[] | null;
  /** The version that new cards get; cards keep the one they were opened with. */
  readonly termsVersion: number;
  readonly limits: ProductLimits;
  readonly feeDetail: FeeDetail;
  readonly createdAt: number;
}

/** A range of card numbers. Its fees are what the merchant's reserve pays. */
export interface Bin extends Product {
  readonly cardBinNo: string;
  /** The first digits of its card numbers. */
  readonly bin: string;
  readonly panLength: number;
  readonly organization: string;
  readonly currencies: readonly string[];
  readonly validMonths: number;
}

/** What a credit-mode merchant opens cards on. Its fees are what the cardholder pays. */
export interface Package extends Product {
  readonly packageNo: string;
  readonly cardBinNo: string;
  readonly enName: string;
  readonly cnName: string;
  readonly enDesc: string;
  readonly cnDesc: string;
  readonly enTagList: readonly string[];
  readonly cnTagList: readonly string[];
}

/** Everything that opening a card needs of its product. */
export interface CardProduct {
  readonly cardBinNo: string;
  readonly binTermsVersion: number;
  readonly packageNo: string | null;
  readonly packageTermsVersion: number | null;
  readonly bin: string;
  readonly panLength: number;
  readonly organization: string;
  /** Of a package: what it offers and its BIN can make. */
  readonly supportVirtual: boolean;
  readonly supportPhysical: boolean;
  readonly validMonths: number;
  readonly cardsPerCardholderMax: number;
  /** Minor units. `cardholder` is the package's opening cost, 0 in authorization mode; `reserve` the BIN's. */
  readonly openCost: { readonly cardholder: bigint; readonly reserve: bigint };
}
