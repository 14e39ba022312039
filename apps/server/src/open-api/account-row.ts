import { ACCOUNT_SYMBOL, ACCOUNT_SYMBOL_CHAIN, type ResponseData } from "@cardwright/contract";
import type { CreditAccounts } from "#credit/index.ts";
import { amountText } from "./amounts.ts";

interface Balance {
  readonly available: bigint;
  readonly held: bigint;
}

/** What a balance counts: available plus frozen (contract section 9, Money). */
export function totalOf({ available, held }: Balance): bigint {
  return available + held;
}

/** One row of `account/{cardholder_no}/info` and of a cardholder's `account_list`. TUSDT 1 is USD 1. */
export function accountRow(
  cardholderNo: string,
  { credit, bonus }: CreditAccounts,
): ResponseData<"account.info">["list"][number] {
  const balance = amountText(totalOf(credit));
  const bonusBalance = amountText(totalOf(bonus));
  const frozen = amountText(credit.held + bonus.held);
  return {
    cardholder_no: cardholderNo,
    symbol: ACCOUNT_SYMBOL,
    symbol_chain: ACCOUNT_SYMBOL_CHAIN,
    balance,
    usd_balance: balance,
    bonus_balance: bonusBalance,
    usd_bonus_balance: bonusBalance,
    frozen_balance: frozen,
    usd_frozen_balance: frozen,
  };
}
