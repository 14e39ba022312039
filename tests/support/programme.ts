import type { MerchantMode } from "@cardwright/contract";
import { formatAmount, parseAmount } from "@cardwright/money";
import type { Pool } from "pg";
import {
  type AskMerchant,
  type Authorization,
  type AuthorizationRequest,
  createAuthorization,
  type MerchantAnswer,
  type QuestionPort,
} from "../../apps/server/src/authorization/index.ts";
import { type CardMaker, type Cards, createCards } from "../../apps/server/src/cards/index.ts";
import {
  type Advice,
  type Clearing,
  clearingRules,
  createClearing,
  createManagement,
  type Management,
  type Presentment,
  type ReversalMessage,
} from "../../apps/server/src/clearing/index.ts";
import { type Consumption, consumptionRules, findConsumption } from "../../apps/server/src/consumptions/index.ts";
import { type Credit, createCredit } from "../../apps/server/src/credit/index.ts";
import type { UsedRate } from "../../apps/server/src/exchange/index.ts";
import { type Clock, orderNumber } from "../../apps/server/src/kernel/index.ts";
import { findAccount, type LedgerReport, verifyLedger } from "../../apps/server/src/ledger/index.ts";
import { createMerchants, type Merchants } from "../../apps/server/src/merchants/index.ts";
import { createProducts, type NewBin, type Products } from "../../apps/server/src/products/index.ts";
import {
  type CardData,
  createApiSecret,
  createVault,
  createWebhookSecret,
  newMasterKey,
  type Vault,
} from "../../apps/server/src/vault/index.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";

/** Friday 2026-05-22, noon in UTC+8, which is the merchants' time zone. */
export const startOfTest = Date.UTC(2026, 4, 22, 4);
export const dayMs = 86_400_000;

type Limits = NewBin["limits"];
type Rates = NonNullable<NewBin["rates"]>;

/** A card with everything a purchase needs, ready to buy. */
export interface ReadyCard {
  readonly mode: MerchantMode;
  readonly merchantId: number;
  readonly merchantNo: string;
  readonly productNo: string;
  readonly cardholderNo: string;
  readonly cardNo: string;
  readonly printed: CardData;
}

export interface CardWishes {
  /** CREDIT_EXTENSION when absent. */
  readonly mode?: MerchantMode;
  /** Decimal texts of USD and TUSDT. */
  readonly reserve?: string;
  readonly credit?: string;
  readonly limits?: Partial<Limits>;
  /** The cardholder's side, credit mode: 5 %, ATM 2 % and at least 3.00 when absent. */
  readonly rates?: Rates;
  /** The reserve's side: 1 %, ATM 1 % and at least 1.00 when absent. */
  readonly costs?: Rates;
  readonly validMonths?: number;
}

/** `available` and `held` of an account, decimal texts. */
export type Pot = readonly [available: string, held: string];

export interface Push {
  readonly sequence: number;
  readonly action: string;
  /** The exact text that is signed. */
  readonly text: string;
  readonly data: Record<string, unknown>;
}

/** The rooms of a card programme, composed on a database of their own; a test moves the clock. */
export interface Programme {
  readonly db: TestDatabase;
  readonly clock: { now(): number; advance(ms: number): void };
  readonly vault: Vault;
  readonly merchants: Merchants;
  readonly products: Products;
  readonly cards: Cards;
  readonly credit: Credit;
  readonly authorization: Authorization;
  readonly management: Management;
  readonly clearing: Clearing;
  /** What was answered with `system_error`, and batches that failed as a whole. */
  readonly errors: unknown[];
  readonly batchFailures: unknown[];
  /** What the merchant answers in authorization mode; it says yes until a test says otherwise. */
  ask: AskMerchant;
  /** The rate table; empty until a test fills it. */
  rateOf: (currency: string) => Promise<UsedRate | null>;
  /** The decision engine of another process on the same database. */
  another(options?: Partial<QuestionPort>): Authorization;
  issueCard(wishes?: CardWishes): Promise<ReadyCard>;
  /** One more card on the same product and for the same cardholder. */
  anotherCard(of: ReadyCard): Promise<ReadyCard>;
  recharge(merchantId: number, amount: string): Promise<void>;
  grant(card: ReadyCard, amount: string): Promise<void>;
  /** The cardholder's account (credit mode; zeros otherwise) and the reserve. */
  pots(card: ReadyCard): Promise<{ readonly credit: Pot; readonly reserve: Pot }>;
  /** Must exist. */
  consumption(card: ReadyCard, consumeNo: string | null): Promise<Consumption>;
  consumptionsOf(card: ReadyCard): Promise<number>;
  /** About one card, in the order of their Sequence. */
  pushes(card: ReadyCard): Promise<Push[]>;
  verify(): Promise<LedgerReport>;
  close(): Promise<void>;
}

const by = { actor: "test" };
const noLimits: Limits = {
  limit_balance: "1000000.00",
  limit_week_balance: "1000000.00",
  limit_atm_day_balance: "1000000.00",
  limit_atm_month_balance: "1000000.00",
};

let references = 0;

/** Minor units of an amount with two decimals. */
export function cents(amount: string): bigint {
  const parsed = parseAmount(amount, 2);
  if (!parsed.ok) throw new Error(`not an amount: ${amount}`);
  return parsed.value;
}

/** A merchant's plain yes and no. */
export const answerYes: MerchantAnswer = { kind: "approved", approvedAmount: null };
export const answerNo: MerchantAnswer = { kind: "declined", code: 5100, reason: null };

/** A purchase with everything right, in US dollars, at a shop; each call is a new message of the network. */
export function purchaseWith(
  card: Pick<ReadyCard, "printed">,
  amount: string,
  changed: Partial<AuthorizationRequest> = {},
): AuthorizationRequest {
  references += 1;
  return {
    networkReference: `test-${references}`,
    pan: card.printed.pan,
    expiry: card.printed.expiry,
    cvv: card.printed.cvv,
    kind: "purchase",
    wallet: false,
    amount: cents(amount),
    currency: "USD",
    billingAmount: null,
    exchangeRate: null,
    incrementOf: null,
    recurring: false,
    partialAllowed: false,
    acceptor: { name: "Corner Shop", mcc: "5411", city: "Singapore", country: "SG" },
    ...changed,
  };
}

/** The presentment of a purchase in US dollars, with everything right; each call is a new message of the network. */
export function presentmentWith(
  card: Pick<ReadyCard, "printed">,
  amount: string,
  changed: Partial<Presentment> = {},
): Presentment {
  references += 1;
  return {
    networkReference: `clearing-${references}`,
    originalReference: "",
    pan: card.printed.pan,
    kind: "purchase",
    amount: cents(amount),
    currency: "USD",
    billingAmount: null,
    exchangeRate: null,
    final: true,
    acceptor: { name: "Corner Shop", mcc: "5411", city: "Singapore", country: "SG" },
    ...changed,
  };
}

/** A reversal of everything that is left; each call is a new message of the network. */
export function reversalOf(
  card: Pick<ReadyCard, "printed">,
  originalReference: string,
  changed: Partial<ReversalMessage> = {},
): ReversalMessage {
  references += 1;
  return {
    networkReference: `reversal-${references}`,
    originalReference,
    pan: card.printed.pan,
    amount: null,
    billingAmount: null,
    ...changed,
  };
}

/** What the network has approved in our stead, in US dollars. */
export function adviceWith(card: Pick<ReadyCard, "printed">, amount: string, changed: Partial<Advice> = {}): Advice {
  references += 1;
  return {
    networkReference: `advice-${references}`,
    pan: card.printed.pan,
    kind: "purchase",
    wallet: false,
    recurring: false,
    incrementOf: "",
    amount: cents(amount),
    currency: "USD",
    billingAmount: null,
    exchangeRate: null,
    acceptor: { name: "Corner Shop", mcc: "5411", city: "Singapore", country: "SG" },
    ...changed,
  };
}

const noPhysicalCards: CardMaker = {
  order: () => Promise.reject(new Error("the programme makes no physical cards")),
  stateOf: async () => "unknown",
};

export interface ProgrammeOptions {
  readonly maker?: (deps: { readonly pool: Pool; readonly clock: Clock }) => CardMaker;
  /** A new one of the test run when absent. The programme drops it. */
  readonly db?: TestDatabase;
  /** One that the test moves itself, instead of the programme's. */
  readonly clock?: Clock;
}

/** Composes the rooms below the faces; without KYC, whose outcome is written as a row. */
export async function openProgramme(options: ProgrammeOptions = {}): Promise<Programme> {
  const db = options.db ?? (await createTestDatabase());
  const { pool } = db;
  let now = startOfTest;
  const clock = {
    now: () => options.clock?.now() ?? now,
    advance: (ms: number) => {
      if (options.clock !== undefined) throw new Error("the test moves its own clock");
      now += ms;
    },
  };
  const vault = createVault({ pool: db.vaultPool, masterKeys: newMasterKey("test"), clock });
  const merchants = createMerchants({
    pool,
    clock,
    requireHttps: false,
    secrets: {
      create: createApiSecret,
      store: (secret) => vault.storeSecret(secret),
      delete: (secret) => vault.deleteSecret(secret),
    },
    webhookSecrets: { create: createWebhookSecret, ...vault.webhookSecrets },
    clientKeys: vault.clientKeys,
  });
  const products = createProducts({ pool, clock });
  const credit = createCredit({
    pool,
    clock,
    cardholderExists: async () => true,
    creditBoundOf: (sql, merchantId) => merchants.creditBoundOf(sql, merchantId),
  });
  const cards = createCards({
    pool,
    clock,
    vault,
    maker: options.maker?.({ pool, clock }) ?? noPhysicalCards,
    offeredProduct: async ({ merchantId, productNo }) => {
      const choice = productNo.startsWith("P") ? { packageNo: productNo } : { cardBinNo: productNo };
      const product = await products.forApplication({ merchantId, ...choice });
      return product.ok ? product.value : null;
    },
    openingCostOf: async () => ({ cardholderPays: 0n, reservePays: 0n }),
    cardholderOf: async () => ({ approved: true, name: "Ada Lovelace" }),
  });
  const errors: unknown[] = [];
  const batchFailures: unknown[] = [];
  const opened: Authorization[] = [];
  const another: Programme["another"] = ({ ask, isFailing } = {}) => {
    const authorization = createAuthorization({
      pool,
      clock,
      identify: (pan) => vault.identify({ pan }),
      cvvIsRight: async (given) => (await vault.verifyCvvOfPan(given)).ok,
      terms: (product) => products.terms(product),
      rateOf: (currency) => programme.rateOf(currency),
      ask: ask ?? ((question) => programme.ask(question)),
      isFailing: isFailing ?? (() => false),
      onError: (error) => void errors.push(error),
      onBatchFailure: ({ error }) => void batchFailures.push(error),
    });
    opened.push(authorization);
    return authorization;
  };
  const programme: Programme = {
    db,
    clock,
    vault,
    merchants,
    products,
    cards,
    credit,
    errors,
    batchFailures,
    another,
    authorization: another(),
    clearing: createClearing({
      pool,
      clock,
      identify: (pan) => vault.identify({ pan }),
      terms: (product) => products.terms(product),
      rateOf: (currency) => programme.rateOf(currency),
    }),
    management: createManagement({
      pool,
      clock,
      terms: (product) => products.terms(product),
      onError: (error) => void errors.push(error),
    }),
    ask: async () => answerYes,
    rateOf: async () => null,
    issueCard: (wishes = {}) => issueCard(programme, wishes),
    anotherCard: (of) => applyForCard(programme, of),
    recharge: (merchantId, amount) => recharge(programme, { merchantId, amount }),
    grant: (card, amount) => grant(programme, { card, amount }),
    pots: async ({ merchantId, cardholderNo }) => ({
      credit: await potOf(programme, { merchantId, kind: "cardholder", owner: cardholderNo }),
      reserve: await potOf(programme, { merchantId, kind: "reserve", owner: "" }),
    }),
    consumption: async ({ merchantId }, consumeNo) => {
      const found = consumeNo === null ? null : await findConsumption(pool, { merchantId, consumeNo });
      if (found === null) throw new Error(`there is no consumption ${consumeNo}`);
      return found;
    },
    consumptionsOf: async ({ merchantId, cardNo }) => {
      const { rowCount } = await pool.query(
        "SELECT 1 FROM consumption WHERE merchant_id = $1 AND card_no = $2 AND type <> 'Open_card'",
        [merchantId, cardNo],
      );
      return rowCount ?? 0;
    },
    pushes: (card) => pushesOf(programme, card),
    verify: () => verifyLedger(pool, { extraRules: [...consumptionRules, ...clearingRules] }),
    close: async () => {
      await Promise.all(opened.map((each) => each.stop({ deadlineMs: 1_000 })));
      await db.drop();
    },
  };
  return programme;
}

/** The value of a result that a set-up relies on. */
function sure<Value>(
  result: { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly reason: unknown },
): Value {
  if (!result.ok) throw new Error(`the set-up was refused: ${JSON.stringify(result.reason)}`);
  return result.value;
}

async function issueCard(programme: Programme, wishes: CardWishes): Promise<ReadyCard> {
  const mode = wishes.mode ?? "CREDIT_EXTENSION";
  const merchant = sure(await programme.merchants.create({ name: "Test merchant", mode }, by));
  const { merchantId, merchantNo } = merchant;
  await programme.recharge(merchantId, wishes.reserve ?? "10000.00");
  const productNo = await makeProduct(programme, { ...wishes, mode });
  const cardholderNo = await approveCardholder(programme, merchantId);
  const card = await applyForCard(programme, { mode, merchantId, merchantNo, productNo, cardholderNo });
  if (mode === "CREDIT_EXTENSION" && wishes.credit !== "0.00") {
    await programme.grant(card, wishes.credit ?? "1000.00");
  }
  return card;
}

async function makeProduct(programme: Programme, wishes: CardWishes): Promise<string> {
  const limits = { ...noLimits, ...wishes.limits };
  const offer = { supportVirtual: true, supportPhysical: true, cardsPerCardholderMax: 100 };
  const bin = sure(
    await programme.products.createBin(
      {
        bin: "45678901",
        organization: "Visa",
        validMonths: wishes.validMonths ?? 36,
        ...offer,
        limits,
        rates: wishes.costs ?? { consume_rate: "0.01", atm_rate: "0.01", atm_min_fee: "1.00" },
      },
      by,
    ),
  );
  if (wishes.mode === "AUTHORIZATION") {
    return bin.cardBinNo;
  }
  const rates = wishes.rates ?? { consume_rate: "0.05", atm_rate: "0.02", atm_min_fee: "3.00" };
  const terms = { cardBinNo: bin.cardBinNo, enName: "Everyday", cnName: "日常", ...offer, limits, rates };
  return sure(await programme.products.createPackage(terms, by)).packageNo;
}

async function approveCardholder(programme: Programme, merchantId: number): Promise<string> {
  const now = programme.clock.now();
  const cardholderNo = orderNumber("U", now);
  await programme.db.pool.query(
    `INSERT INTO cardholder (merchant_id, cardholder_no, cardholder_unique_no, status, first_name, last_name, attempt, kyc_applicant_id,
       first_approved_at, created_at, updated_at)
     VALUES ($1, $2, $2, 'Approved', 'Ada', 'Lovelace', 1, $2, $3, $3, $3)`,
    [merchantId, cardholderNo, now],
  );
  await programme.credit.openAccounts(programme.db.pool, { merchantId, cardholderNo, now });
  return cardholderNo;
}

async function applyForCard(programme: Programme, of: Omit<ReadyCard, "cardNo" | "printed">): Promise<ReadyCard> {
  references += 1;
  const { mode, merchantId, merchantNo, productNo, cardholderNo } = of;
  const application = {
    merchantId,
    utcOffsetMinutes: 480,
    productNo,
    cardholderNo,
    cardUniqueNo: `card-${references}`,
  };
  const { cardNo } = sure(await programme.cards.apply({ ...application, cardType: "Virtual", address: null }));
  const printed = sure(await programme.vault.revealForSandboxNetwork({ merchantId, cardNo }));
  return { mode, merchantId, merchantNo, productNo, cardholderNo, cardNo, printed };
}

async function recharge(programme: Programme, order: { merchantId: number; amount: string }): Promise<void> {
  if (cents(order.amount) === 0n) return;
  references += 1;
  const { rechargeNo } = sure(
    await programme.merchants.createRecharge(
      { merchantId: order.merchantId, amount: cents(order.amount), currency: "USD", reference: `wire ${references}` },
      by,
    ),
  );
  sure(await programme.merchants.confirmRecharge({ rechargeNo }, by));
}

async function grant(programme: Programme, gift: { card: ReadyCard; amount: string }): Promise<void> {
  references += 1;
  const { merchantId, cardholderNo } = gift.card;
  const request = { merchantId, cardholderNo, transferUniqueNo: `grant-${references}`, type: "In" } as const;
  sure(await programme.credit.transfer({ ...request, amount: cents(gift.amount) }));
}

async function potOf(programme: Programme, name: Parameters<typeof findAccount>[1]): Promise<Pot> {
  const account = await findAccount(programme.db.pool, name);
  return [formatAmount(account?.available ?? 0n, 2), formatAmount(account?.held ?? 0n, 2)];
}

async function pushesOf(programme: Programme, card: ReadyCard): Promise<Push[]> {
  const { rows } = await programme.db.pool.query<{ sequence: bigint; action: string; data: string }>(
    "SELECT sequence, action, data FROM any_callback WHERE merchant_id = $1 AND card_no = $2 ORDER BY sequence",
    [card.merchantId, card.cardNo],
  );
  return rows.map(({ sequence, action, data }) => {
    const parsed: unknown = JSON.parse(data);
    if (typeof parsed !== "object" || parsed === null) throw new Error("a push's data is no object");
    return { sequence: Number(sequence), action, text: data, data: Object.fromEntries(Object.entries(parsed)) };
  });
}
