import type { TestDatabase } from "@cardwright/testing/database";
import { createCallbacks } from "#callbacks/index.ts";
import { createManagement } from "#clearing/index.ts";
import { createCredit } from "#credit/index.ts";
import { createExchange } from "#exchange/index.ts";
import type { Clock } from "#kernel/index.ts";
import { createMerchants } from "#merchants/index.ts";
import { createProducts } from "#products/index.ts";
import { createApiSecret, createVault, newMasterKey } from "#vault/index.ts";

/** The rooms that the operator's API calls, on a database of a test; nobody is called back. */
export function operatorRooms(database: TestDatabase, clock: Clock) {
  const { pool } = database;
  const vault = createVault({ pool: database.vaultPool, masterKeys: newMasterKey("test"), clock });
  const secrets = { create: createApiSecret, store: vault.storeSecret, delete: vault.deleteSecret };
  const log = { warn: () => {}, error: () => {} };
  const products = createProducts({ pool, clock });
  return {
    vault,
    merchants: createMerchants({ pool, clock, requireHttps: true, secrets }),
    products,
    callbacks: createCallbacks({ pool, clock, log, target: () => null, allowPrivateAddresses: true }),
    credit: createCredit({ pool, clock, cardholderExists: async () => false, creditBoundOf: async () => null }),
    exchange: createExchange({ pool, clock, ageMsMax: 7 * 86_400_000 }),
    management: createManagement({ pool, clock, terms: (product) => products.terms(product), onError: () => {} }),
  };
}
