import type { Sql } from "#database/index.ts";
import type { Result } from "#kernel/index.ts";
import { type Account, findAccount, openAccount } from "#ledger/index.ts";
import { type StoredTransfer, selectTransfers, type TransferFilter } from "./store.ts";
import { type CreditDeps, type CreditTransferRequest, type TransferRefusal, transferCredit } from "./transfer.ts";

export type { StoredTransfer, TransferFilter } from "./store.ts";
export type { CreditTransferRequest, TransferRefusal } from "./transfer.ts";

export interface CardholderKey {
  readonly merchantId: number;
  readonly cardholderNo: string;
}

/** What a cardholder has; the bonus is credit that the merchant gives on top. */
export interface CreditAccounts {
  readonly credit: Account;
  readonly bonus: Account;
}

/** The credit that a merchant grants its cardholders (credit mode). */
export interface Credit {
  transfer(request: CreditTransferRequest): Promise<Result<StoredTransfer, TransferRefusal>>;
  listTransfers(filter: TransferFilter): Promise<StoredTransfer[]>;
  /** Opens a cardholder's accounts, in the caller's transaction; a repeat has no effect. */
  openAccounts(sql: Sql, key: CardholderKey & { readonly now: number }): Promise<void>;
  /** Null before the cardholder was approved. */
  accountsOf(key: CardholderKey): Promise<CreditAccounts | null>;
}

export function createCredit(deps: CreditDeps): Credit {
  return {
    transfer: (request) => transferCredit(deps, request),
    listTransfers: (filter) => selectTransfers(deps.pool, filter),
    openAccounts: async (sql, { merchantId, cardholderNo, now }) => {
      await openAccount(sql, { merchantId, kind: "cardholder", owner: cardholderNo, now });
      await openAccount(sql, { merchantId, kind: "bonus", owner: cardholderNo, now });
    },
    accountsOf: async ({ merchantId, cardholderNo }) => {
      const credit = await findAccount(deps.pool, { merchantId, kind: "cardholder", owner: cardholderNo });
      const bonus = await findAccount(deps.pool, { merchantId, kind: "bonus", owner: cardholderNo });
      return credit === null || bonus === null ? null : { credit, bonus };
    },
  };
}
