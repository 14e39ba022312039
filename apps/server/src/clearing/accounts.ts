import type { Sql } from "#database/index.ts";
import { listAccounts, type MerchantAccountKind } from "#ledger/index.ts";

/** A merchant has seven accounts of its own at most. */
const accountsMax = 20;

/** The ids of a merchant's own accounts; one that its mode does not have is asked for in vain and throws. */
export interface MerchantAccounts {
  idOf(kind: MerchantAccountKind): string;
}

export async function merchantAccounts(sql: Sql, merchantId: number): Promise<MerchantAccounts> {
  const accounts = await listAccounts(sql, { merchantId, owner: "", limit: accountsMax });
  const ids = new Map(accounts.map((account) => [account.kind, account.accountId]));
  return {
    idOf: (kind) => {
      const id = ids.get(kind);
      if (id === undefined) {
        throw new Error(`merchant ${merchantId} has no ${kind} account`);
      }
      return id;
    },
  };
}
