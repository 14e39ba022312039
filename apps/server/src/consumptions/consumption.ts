import type { ConsumptionType, FeeType, TransactionStatus } from "@cardwright/contract";

/** One row of `fee_detail`; minor units of the card's currency, above zero. */
export interface FeeRow {
  readonly feeType: FeeType;
  readonly amount: bigint;
}

/** The shop, as the card network named it. Texts from outside: cleaned before they get here. */
export interface CardAcceptor {
  readonly name: string;
  /** Merchant category code, four digits, or empty. */
  readonly mcc: string;
  readonly city: string;
  /** ISO 3166-1 alpha-2, or empty. */
  readonly country: string;
}

/** One card transaction as a merchant sees it (contract section 4). Amounts in minor units of the card's currency. */
export interface Consumption {
  readonly consumeNo: string;
  readonly consumeRelateNo: string;
  readonly cardNo: string;
  readonly cardholderNo: string;
  readonly type: ConsumptionType;
  readonly status: TransactionStatus;
  readonly amount: bigint;
  readonly fee: bigint;
  readonly feeRows: readonly FeeRow[];
  /** Decimal text with the currency's own number of decimals. */
  readonly localAmount: string;
  readonly localCurrency: string;
  /** A reason's code; empty when there is none. */
  readonly remark: string;
  /** The reason as a sentence. */
  readonly detail: string;
  readonly acceptor: CardAcceptor;
  /** Unix ms. */
  readonly createdAt: number;
}

const unsafeCharacters = /[\p{Cc}\u2028\u2029]/gu;
const loneSurrogates = /\p{Surrogate}/gu;

/**
 * Makes a text from outside safe to sign (contract section 6): control characters and line separators become spaces, because
 * JSON libraries disagree on how to escape them. Lone surrogates cannot be UTF-8 at all. Cut to `lengthMax` characters.
 */
export function cleanText(text: string, lengthMax: number): string {
  return Array.from(text.replaceAll(unsafeCharacters, " ").replaceAll(loneSurrogates, " "))
    .slice(0, lengthMax)
    .join("")
    .trim();
}
