import type { TestDatabase } from "@cardwright/testing/database";
import { createAuditTrail } from "#audit/index.ts";
import { createCallbacks } from "#callbacks/index.ts";
import { createClearing, createManagement } from "#clearing/index.ts";
import { createCredit } from "#credit/index.ts";
import { createExchange } from "#exchange/index.ts";
import type { Clock } from "#kernel/index.ts";
import { createMerchants, createReserves } from "#merchants/index.ts";
import { createProducts } from "#products/index.ts";
import { createSettlement } from "#settlement/index.ts";
import { createApiSecret, createVault, createWebhookSecret, newMasterKey } from "#vault/index.ts";

/** The rooms that the operator's API calls, on a database of a test; nobody is called back. */
export function operatorRooms(database: TestDatabase, clock: Clock) {
  const { pool } = database;
  const vault = createVault({ pool: database.vaultPool, masterKeys: newMasterKey("test"), clock });
  const secrets = {
    secrets: { create: createApiSecret, store: vault.storeSecret, delete: vault.deleteSecret },
    webhookSecrets: { create: createWebhookSecret, ...vault.webhookSecrets },
    clientKeys: vault.clientKeys,
  };
  const log = { warn: () => {}, error: () => {} };
  const products = createProducts({ pool, clock });
  return {
    auditTrail: createAuditTrail({ pool, clock }),
    vault,
    merchants: createMerchants({ pool, clock, requireHttps: true, ...secrets }),
    reserves: createReserves({ pool, clock }),
    products,
    callbacks: createCallbacks({ pool, clock, log, target: () => null, allowPrivateAddresses: true }),
    credit: createCredit({ pool, clock, cardholderExists: async () => false, creditBoundOf: async () => null }),
    exchange: createExchange({ pool, clock, ageMsMax: 7 * 86_400_000 }),
    clearing: createClearing({
      pool,
      clock,
      identify: async () => null,
      terms: (product) => products.terms(product),
      rateOf: async () => null,
    }),
    settlement: createSettlement({ pool, clock }),
    management: createManagement({ pool, clock, terms: (product) => products.terms(product), onError: () => {} }),
  };
}
