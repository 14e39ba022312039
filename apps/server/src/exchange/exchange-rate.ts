import type { CurrencyCode, Rate } from "@cardwright/money";

/** One row of the rate table: what one whole unit of a currency is worth in USD from a moment on. */
export interface ExchangeRate {
  readonly currency: CurrencyCode;
  /** USD for one whole unit, whatever the decimals of the two: 0.0064 for JPY. */
  readonly rate: Rate;
  /** Who says so: `ecb`, `sandbox`, … */
  readonly source: string;
  /** Unix ms. */
  readonly validFrom: number;
  readonly createdAt: number;
}

/** A rate as a purchase takes it, and what its consumption keeps of it. */
export interface UsedRate {
  readonly rate: Rate;
  readonly source: string;
  /** Unix ms: since when it is valid. */
  readonly at: number;
}

/** A field of the operator's input that cannot be: its path, and what is wrong with it. */
export interface InvalidRates {
  readonly field: string;
  readonly message: string;
}

export interface NewRates {
  readonly source: string;
  /** Unix ms; from now on when absent. */
  readonly validFrom?: number;
  /** Decimal texts: USD for one unit. */
  readonly rates: readonly { readonly currency: string; readonly rate: string }[];
}
