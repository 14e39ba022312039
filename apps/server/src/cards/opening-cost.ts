import { formatAmount } from "@cardwright/money";
import { type Consumption, consumptionData, findOpening, insertDone } from "#consumptions/index.ts";
import type { Sql } from "#database/index.ts";
import { orderNumber, uuid7 } from "#kernel/index.ts";
import { findAccount, lockAvailable, type Posting, transfer } from "#ledger/index.ts";
import type { CardKey } from "./card.ts";
import { enqueueCallback } from "./store.ts";

export interface OpeningCost extends CardKey {
  readonly cardholderNo: string;
  /** Minor units that the cardholder's account pays; null in authorization mode. */
  readonly cardholderPays: bigint | null;
  /** Minor units that the reserve pays. */
  readonly reservePays: bigint;
  readonly at: number;
}

export type OpeningRefusal = "balance_too_low" | "reserve_too_low";

/** What the merchant sees as the price of the card: the cardholder's side in credit mode, the reserve's otherwise. */
const shownCost = (cost: OpeningCost) => cost.cardholderPays ?? cost.reservePays;

async function accountId(sql: Sql, name: Parameters<typeof findAccount>[1]): Promise<string> {
  const account = await findAccount(sql, name);
  if (account === null) {
    throw new Error(`merchant ${name.merchantId} has no ${name.kind} account`);
  }
  return account.accountId;
}

interface Leg {
  readonly posting: Posting;
  readonly refusal: OpeningRefusal;
}

async function legsOf(sql: Sql, cost: OpeningCost): Promise<Leg[]> {
  const own = { merchantId: cost.merchantId, owner: "" };
  const legs: Leg[] = [];
  if (cost.cardholderPays !== null && cost.cardholderPays > 0n) {
    const source = await accountId(sql, { merchantId: cost.merchantId, kind: "cardholder", owner: cost.cardholderNo });
    const destination = await accountId(sql, { ...own, kind: "merchant_income" });
    legs.push({ posting: { source, destination, amount: cost.cardholderPays }, refusal: "balance_too_low" });
  }
  if (cost.reservePays > 0n) {
    const source = await accountId(sql, { ...own, kind: "reserve" });
    const destination = await accountId(sql, { ...own, kind: "platform_income" });
    legs.push({ posting: { source, destination, amount: cost.reservePays }, refusal: "reserve_too_low" });
  }
  return legs;
}

/**
 * Takes the opening cost before the card is made (contract section 9, Money), in the caller's transaction, and makes the
 * `Open_card` consumption with its push where the merchant sees a cost. Answers why when it is not covered: the caller rolls back.
 */
export async function takeOpeningCost(sql: Sql, cost: OpeningCost): Promise<OpeningRefusal | null> {
  const legs = await legsOf(sql, cost);
  if (legs.length === 0) {
    return null;
  }
  const accountIds = legs.flatMap(({ posting }) => [posting.source, posting.destination]);
  const available = await lockAvailable(sql, { merchantId: cost.merchantId, accountIds });
  const missing = legs.find(({ posting }) => (available.get(posting.source) ?? 0n) < posting.amount);
  if (missing !== undefined) {
    return missing.refusal;
  }
  const consumeNo = orderNumber("O", cost.at);
  await transfer(sql, {
    merchantId: cost.merchantId,
    transactionId: uuid7(cost.at),
    kind: "open_card",
    reference: consumeNo,
    at: cost.at,
    postings: legs.map(({ posting }) => posting),
  });
  if (shownCost(cost) > 0n) {
    await recordOpening(sql, { ...cost, consumeNo });
  }
  return null;
}

async function recordOpening(sql: Sql, cost: OpeningCost & { readonly consumeNo: string }): Promise<void> {
  await record(sql, { cost, consumeNo: cost.consumeNo, consumeRelateNo: "", type: "Open_card" });
}

/**
 * Gives the opening cost back when the card could not be made, in the caller's transaction: to both sides, as a `Refund` of the
 * `Open_card` consumption where the merchant saw one.
 */
export async function returnOpeningCost(sql: Sql, cost: OpeningCost): Promise<void> {
  const legs = await legsOf(sql, cost);
  if (legs.length === 0) {
    return;
  }
  const consumeNo = orderNumber("O", cost.at);
  await transfer(sql, {
    merchantId: cost.merchantId,
    transactionId: uuid7(cost.at),
    kind: "open_card",
    reference: consumeNo,
    at: cost.at,
    postings: legs.map(({ posting: { source, destination, amount } }) => ({
      source: destination,
      destination: source,
      amount,
    })),
  });
  if (shownCost(cost) > 0n) {
    const consumeRelateNo = await findOpening(sql, cost);
    await record(sql, { cost, consumeNo, consumeRelateNo: consumeRelateNo ?? "", type: "Refund" });
  }
}

/** A consumption that is over when it is made, with its push. */
async function record(
  sql: Sql,
  entry: {
    readonly cost: OpeningCost;
    readonly consumeNo: string;
    readonly consumeRelateNo: string;
    readonly type: "Open_card" | "Refund";
  },
): Promise<void> {
  const { cost, consumeNo, consumeRelateNo, type } = entry;
  const amount = shownCost(cost);
  const consumption: Consumption = {
    consumeNo,
    consumeRelateNo,
    cardNo: cost.cardNo,
    cardholderNo: cost.cardholderNo,
    type,
    status: "Success",
    amount,
    fee: 0n,
    feeRows: [],
    localAmount: formatAmount(amount, 2),
    localCurrency: "USD",
    remark: "",
    detail: "",
    acceptor: { name: "", mcc: "", city: "", country: "" },
    createdAt: cost.at,
  };
  await insertDone(sql, {
    ...consumption,
    merchantId: cost.merchantId,
    creditTotal: cost.cardholderPays ?? 0n,
    reserveTotal: cost.reservePays,
  });
  await enqueueCallback(sql, {
    merchantId: cost.merchantId,
    cardNo: cost.cardNo,
    callbackId: uuid7(cost.at),
    action: "Consumption",
    consumeNo,
    data: consumptionData(consumption, { time: cost.at }),
    at: cost.at,
  });
}
