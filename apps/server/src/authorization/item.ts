import type { DeclineReason } from "@cardwright/contract";
import { decimalsOf, formatAmount, isCurrency } from "@cardwright/money";
import { dataFees, dataHead, dataTail, type FeeRow } from "#consumptions/index.ts";
import { purchaseFees, sumOfFees } from "#fees/index.ts";
import { orderNumber, uuid7 } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";
import type { CardFacts } from "./facts.ts";
import { type LimitPeriods, limitPeriods } from "./periods.ts";
import type { AuthorizationRequest } from "./request.ts";

/** What a card is billed in; its two currencies are at par (contract section 9). */
const cardCurrencies: readonly string[] = ["USD", "TUSDT"];

/** One authorization as the decision's statement takes it, everything computed that needs no lock. */
export interface DecisionItem {
  readonly facts: CardFacts;
  readonly consumeNo: string;
  readonly networkReference: string;
  readonly type: "Consumption" | "Atm";
  readonly asks: boolean;
  readonly partialAllowed: boolean;
  /** A refusal that is certain already; the card's status still goes first. */
  readonly preset: DeclineReason | "";
  readonly amount: bigint;
  readonly feeRows: readonly FeeRow[];
  readonly fee: bigint;
  readonly creditTotal: bigint;
  readonly reserveTotal: bigint;
  readonly periods: LimitPeriods;
  readonly localAmount: string;
  readonly localCurrency: string;
  readonly acceptor: AuthorizationRequest["acceptor"];
  readonly holdId: string;
  readonly callbackId: string;
  readonly dataHead: string;
  readonly dataApproved: string;
  readonly dataTail: string;
  readonly at: number;
  readonly holdUntil: number;
}

/** The amount in the card's currency, or null when neither the network nor we can tell it; nothing is nothing in any currency. */
function billedAmount(request: AuthorizationRequest): bigint | null {
  if (cardCurrencies.includes(request.currency)) {
    return request.amount;
  }
  return request.billingAmount ?? (request.amount === 0n ? 0n : null);
}

/** Puts an authorization together; `preset` is a refusal found before (expiry, CVV). */
export function decisionItem(options: {
  readonly request: AuthorizationRequest;
  readonly facts: CardFacts;
  readonly preset: DeclineReason | "";
  readonly now: number;
}): DecisionItem {
  const { request, facts, now } = options;
  const billed = billedAmount(request);
  const amount = billed ?? 0n;
  const type = request.kind === "atm" ? "Atm" : "Consumption";
  const costRows = purchaseFees({ type, amount }, facts.costRates);
  // In authorization mode the reserve's costs are the only fees, and the ones the merchant is shown (contract section 2).
  const feeRows = facts.cardholderRates === null ? costRows : purchaseFees({ type, amount }, facts.cardholderRates);
  const fee = sumOfFees(feeRows);
  const asks = facts.mode === "AUTHORIZATION";
  const consumeNo = orderNumber("O", now);
  const local = isCurrency(request.currency)
    ? formatAmount(request.amount, decimalsOf(request.currency))
    : request.amount.toString();
  const shown = {
    consumeNo,
    consumeRelateNo: "",
    cardNo: facts.cardNo,
    cardholderNo: facts.cardholderNo,
    type,
    amount,
    localAmount: local,
    localCurrency: request.currency,
  } as const;
  return {
    facts,
    consumeNo,
    networkReference: request.networkReference,
    type,
    asks,
    partialAllowed: request.partialAllowed,
    preset: options.preset === "" && billed === null ? "currency_not_supported" : options.preset,
    amount,
    feeRows,
    fee,
    creditTotal: facts.creditAccountId === null ? 0n : amount + fee,
    reserveTotal: amount + sumOfFees(costRows),
    periods: limitPeriods(now, facts.utcOffsetMinutes),
    localAmount: local,
    localCurrency: request.currency,
    acceptor: request.acceptor,
    holdId: uuid7(now),
    callbackId: uuid7(now),
    dataHead: dataHead(shown),
    dataApproved: dataFees({ fee, remark: "", detail: "", feeRows }),
    dataTail: dataTail(request.acceptor),
    at: now,
    holdUntil: now + (asks ? bounds.questionHoldMs : bounds.authorizationHoldMs),
  };
}
