import type { Initiator } from "#audit/index.ts";
import type { Sql } from "#database/index.ts";
import type { Result } from "#kernel/index.ts";
import { type Account, findAccount, openAccount } from "#ledger/index.ts";
import { type BonusRefusal, grantBonus, type NewBonus } from "./bonus.ts";
import { type BonusGrant, selectBonuses } from "./bonus-store.ts";
import { type CreditPosition, creditPosition } from "./bound.ts";
import { type StoredTransfer, selectTransfers, type TransferFilter } from "./store.ts";
import { type CreditDeps, type CreditTransferRequest, type TransferRefusal, transferCredit } from "./transfer.ts";

export {
  type BonusRefusal,
  bonusReasonCharactersMax,
  bonusReferenceCharactersMax,
  type NewBonus,
  repayFromBonus,
} from "./bonus.ts";
export type { BonusGrant } from "./bonus-store.ts";
export type { CreditPosition } from "./bound.ts";
export type { StoredTransfer, TransferFilter } from "./store.ts";
export type { CreditTransferRequest, TransferRefusal } from "./transfer.ts";

export interface CardholderKey {
  readonly merchantId: number;
  readonly cardholderNo: string;
}

/** What a cardholder has; the bonus is credit that the operator gives on top, and that repays cleared purchases. */
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
  /** Gives bonus credit or takes it back, audited in the name of `by`. */
  grantBonus(input: NewBonus, by: Initiator): Promise<Result<BonusGrant, BonusRefusal>>;
  /** Newest first. */
  listBonuses(filter: CardholderKey & { readonly page: number; readonly size: number }): Promise<BonusGrant[]>;
  /** All credit that a merchant's cardholders hold, and the reserve that stands behind it. */
  positionOf(merchantId: number): Promise<CreditPosition>;
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
    grantBonus: (input, by) => grantBonus(deps, input, by),
    listBonuses: (filter) => selectBonuses(deps.pool, filter),
    positionOf: (merchantId) => creditPosition(deps.pool, merchantId),
  };
}
