import { fileURLToPath } from "node:url";
import type { Logger } from "pino";
import { createAuditTrail } from "#audit/index.ts";
import { createAuthorization } from "#authorization/index.ts";
import { createCallbacks } from "#callbacks/index.ts";
import { createCardholders, createSumsubClient } from "#cardholders/index.ts";
import { type CardMaker, createCards } from "#cards/index.ts";
import { createClearing, createManagement } from "#clearing/index.ts";
import { createCredit } from "#credit/index.ts";
import { createPool, migrate } from "#database/index.ts";
import { createExchange } from "#exchange/index.ts";
import { type Clock, systemClock } from "#kernel/index.ts";
import { createMerchants, createReserves } from "#merchants/index.ts";
import { createProducts } from "#products/index.ts";
import { createSettlement } from "#settlement/index.ts";
import { createApiSecret, createVault, createWebhookSecret } from "#vault/index.ts";
import { callbackTargetOf } from "./callback-target.ts";
import type { Config } from "./config.ts";
import { database as bounds } from "./limits.ts";
import { createMetrics } from "./metrics.ts";

const migrations = fileURLToPath(new URL("../migrations", import.meta.url));

/** Brings the database to this build's version; throws one sentence when that cannot be. */
export async function prepareDatabase(config: Pick<Config, "DATABASE_URL">): Promise<void> {
  await migrate({ url: config.DATABASE_URL, directory: migrations, clock: systemClock });
}

/**
 * The pools of a process: one may do everything but read the vault, another may read nothing else, and the one connection of the third
 * hears what other processes tell.
 */
export function openPools(config: Config, log: Logger) {
  const common = {
    url: config.DATABASE_URL,
    statementTimeoutMs: bounds.statementTimeoutMs,
    onConnectionError: (error: Error) => log.warn({ error: error.name }, "an idle database connection broke"),
  };
  const app = createPool({
    ...common,
    role: "cardwright_app",
    max: config.DATABASE_POOL,
    applicationName: "cardwright",
  });
  const vault = createPool({
    ...common,
    role: "cardwright_vault",
    max: bounds.vaultPoolMax,
    applicationName: "cardwright-vault",
  });
  const notices = createPool({ ...common, role: "cardwright_app", max: 1, applicationName: "cardwright-notices" });
  return {
    app,
    vault,
    notices,
    end: async () => {
      await Promise.all([app.end(), vault.end(), notices.end()]);
    },
  };
}

export type Pools = ReturnType<typeof openPools>;

export interface RoomsOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly pools: Pick<Pools, "app" | "vault">;
  /** Business time; the sandbox can move it. */
  readonly clock: Clock;
  /** Where the KYC provider answers: the configured one or the sandbox's simulator. */
  readonly kycUrl: string;
  readonly maker: CardMaker;
}

/** The rooms, wired by hand from the floor up: each gets what it needs and nothing else. */
export function composeRooms(options: RoomsOptions) {
  const { config, log, clock, maker } = options;
  const pool = options.pools.app;
  const metrics = createMetrics();
  const inSandbox = config.CARDWRIGHT_ENV === "sandbox";
  const vault = createVault({ pool: options.pools.vault, masterKeys: config.VAULT_MASTER_KEYS, clock });
  const merchants = createMerchants({
    pool,
    clock,
    requireHttps: !inSandbox,
    secrets: {
      create: createApiSecret,
      store: (secret) => vault.storeSecret(secret),
      delete: (secret) => vault.deleteSecret(secret),
    },
    webhookSecrets: { create: createWebhookSecret, ...vault.webhookSecrets },
    clientKeys: vault.clientKeys,
  });
  const reserves = createReserves({ pool, clock });
  const products = createProducts({ pool, clock });
  const kyc = createSumsubClient({
    baseUrl: options.kycUrl,
    appToken: config.SUMSUB_APP_TOKEN,
    secret: config.SUMSUB_SECRET,
    webhookSecret: config.SUMSUB_WEBHOOK_SECRET,
    clock,
  });
  const credit = createCredit({
    pool,
    clock,
    cardholderExists: async (key) => (await cardholders.find(key)) !== null,
    creditBoundOf: (sql, merchantId) => merchants.creditBoundOf(sql, merchantId),
  });
  const exchange = createExchange({
    pool,
    clock,
    ageMsMax: inSandbox ? null : config.EXCHANGE_RATE_DAYS_MAX * 86_400_000,
  });
  const cardholders = createCardholders({
    pool,
    kyc,
    clock,
    onApproved: (sql, approved) => credit.openAccounts(sql, { ...approved, now: clock.now() }),
  });
  const cards = createCards({
    pool,
    clock,
    vault,
    maker,
    offeredProduct: async ({ merchantId, productNo }) => {
      const choice = productNo.startsWith("P") ? { packageNo: productNo } : { cardBinNo: productNo };
      const product = await products.forApplication({ merchantId, ...choice });
      return product.ok ? product.value : null;
    },
    openingCostOf: async (card) => {
      const bin = await products.terms({ productNo: card.cardBinNo, version: card.binTermsVersion });
      const own =
        card.packageNo === null || card.packageTermsVersion === null
          ? null
          : await products.terms({ productNo: card.packageNo, version: card.packageTermsVersion });
      return { cardholderPays: own?.rates.openCost ?? null, reservePays: bin.rates.openCost };
    },
    cardholderOf: async (key) => {
      const cardholder = await cardholders.find(key);
      return cardholder === null
        ? null
        : { approved: cardholder.status === "Approved", name: `${cardholder.firstName} ${cardholder.lastName}`.trim() };
    },
  });
  const callbacks = createCallbacks({
    pool,
    clock,
    log,
    allowPrivateAddresses: inSandbox,
    newestCardOf: async (merchantId) => {
      // Card numbers sort by time and begin with C.
      const bounds = { fromNumber: "C", beforeNumber: "D", offset: 0, limit: 1 };
      const [card] = await cards.list({ merchantId, cardholderNo: null, cardUniqueNo: null, cardNo: null, ...bounds });
      return card?.cardNo ?? null;
    },
    target: (merchantId) => callbackTargetOf({ merchants, vault }, merchantId),
  });
  metrics.measureCallbacks({ backlog: () => callbacks.backlog(), now: () => clock.now() });
  const authorization = createAuthorization({
    pool,
    clock,
    identify: (pan) => vault.identify({ pan }),
    cvvIsRight: async (given) => (await vault.verifyCvvOfPan(given)).ok,
    terms: (product) => products.terms(product),
    rateOf: (currency) => exchange.rateOf(currency),
    ask: async ({ merchantId, consumeNo, data }) => {
      const { outcome } = await callbacks.askMerchant({ merchantId, consumeNo, dataText: data });
      return outcome;
    },
    isFailing: (merchantId) => callbacks.questions.isFailing(merchantId),
    onError: (error) => log.error({ error: describeError(error) }, "an authorization was declined with system_error"),
    onBatchFailure: ({ name, error, itemCount }) => {
      metrics.batchFailed(name);
      log.warn({ batcher: name, itemCount, error: describeError(error) }, "a batch failed and is run item by item");
    },
  });
  const management = createManagement({
    pool,
    clock,
    terms: (product) => products.terms(product),
    onError: (error) => log.error({ error: describeError(error) }, "a management fee could not be looked at"),
  });
  const clearing = createClearing({
    pool,
    clock,
    identify: (pan) => vault.identify({ pan }),
    terms: (product) => products.terms(product),
    rateOf: (currency) => exchange.rateOf(currency),
  });
  const settlement = createSettlement({ pool, clock });
  return {
    pool,
    clock,
    auditTrail: createAuditTrail({ pool, clock }),
    metrics,
    vault,
    merchants,
    reserves,
    products,
    kyc,
    credit,
    exchange,
    cardholders,
    cards,
    callbacks,
    authorization,
    management,
    clearing,
    settlement,
  };
}

export type Rooms = ReturnType<typeof composeRooms>;

/** An error for the log: its name and code only. A message of the database may quote a row, one of HTTP a body. */
export function describeError(error: unknown): { readonly name: string; readonly code?: string } {
  if (!(error instanceof Error)) {
    return { name: typeof error };
  }
  return "code" in error && typeof error.code === "string"
    ? { name: error.name, code: error.code }
    : { name: error.name };
}
