import type { CurrencyCode } from "@cardwright/money";
import type { Sql } from "#database/index.ts";
import { uuid7 } from "#kernel/index.ts";
import { insertAccount, selectAccount, selectAccounts } from "./store.ts";

/**
 * The pots of a merchant.
 *
 * The platform's books with the merchant: `reserve` is the merchant's money that the platform keeps, `funding` where recharges
 * come from, `settlement` what the card network is owed, `platform_income` the costs that BINs charge to the reserve.
 * The merchant's books with its cardholders (credit mode): `credit_line` grants credit, `cardholder` and `bonus` hold it,
 * `spending` takes what was bought, `merchant_income` the fees that the cardholder paid.
 */
export type MerchantAccountKind =
  | "reserve"
  | "funding"
  | "settlement"
  | "platform_income"
  | "credit_line"
  | "spending"
  | "merchant_income";
export type CardholderAccountKind = "cardholder" | "bonus";
export type AccountKind = MerchantAccountKind | CardholderAccountKind;

/** A balance in minor units; `available` can be spent, `held` is reserved by open holds. */
export interface Account {
  readonly accountId: string;
  readonly kind: AccountKind;
  readonly owner: string;
  readonly currency: CurrencyCode;
  readonly available: bigint;
  readonly held: bigint;
}

/** Money of the platform's books is US dollars, credit of the merchant's books TUSDT, at par (contract section 9). */
const currencyOfKind: Record<AccountKind, CurrencyCode> = {
  reserve: "USD",
  funding: "USD",
  settlement: "USD",
  platform_income: "USD",
  credit_line: "TUSDT",
  spending: "TUSDT",
  merchant_income: "TUSDT",
  cardholder: "TUSDT",
  bonus: "TUSDT",
};

/** Money that belongs to somebody may not fall below zero; contra accounts stand for the world outside and may. */
const floorOfKind: Record<AccountKind, bigint | null> = {
  reserve: 0n,
  funding: null,
  settlement: null,
  platform_income: null,
  credit_line: null,
  spending: null,
  merchant_income: null,
  cardholder: 0n,
  bonus: 0n,
};

export const platformAccountKinds = ["reserve", "funding", "settlement", "platform_income"] as const;
const cardholderAccountKinds = ["cardholder", "bonus"] as const;
export const creditAccountKinds = ["credit_line", "spending", "merchant_income"] as const;

export interface AccountName {
  readonly merchantId: number;
  readonly kind: AccountKind;
  /** The cardholder's number; empty for the merchant's own accounts. */
  readonly owner: string;
}

/** Opens an account, or finds the one that is there; answers its id. Runs in the caller's transaction. */
export async function openAccount(sql: Sql, name: AccountName & { readonly now: number }): Promise<string> {
  return insertAccount(sql, {
    ...name,
    accountId: uuid7(name.now),
    currency: currencyOfKind[name.kind],
    floor: floorOfKind[name.kind],
  });
}

/** The account with its balances, or null before it is opened. */
export async function findAccount(sql: Sql, name: AccountName): Promise<Account | null> {
  return selectAccount(sql, { ...name, currency: currencyOfKind[name.kind] });
}

/** All accounts of a merchant, or those of one owner. At most `limit`, in order of kind and owner. */
export async function listAccounts(
  sql: Sql,
  filter: { readonly merchantId: number; readonly owner: string; readonly limit: number },
): Promise<Account[]> {
  const kinds = filter.owner === "" ? [...platformAccountKinds, ...creditAccountKinds] : cardholderAccountKinds;
  return selectAccounts(sql, { ...filter, kinds });
}
