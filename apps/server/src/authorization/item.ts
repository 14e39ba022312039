import type { DeclineReason } from "@cardwright/contract";
import { decimalsOf, formatAmount, isCurrency } from "@cardwright/money";
import { dataFees, dataHead, dataTail, type FeeRow } from "#consumptions/index.ts";
import { orderNumber, uuid7 } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";
import type { Billed, Exchange } from "./billing.ts";
import type { CardFacts, ProductLimits } from "./facts.ts";
import { holdMs } from "./hold-length.ts";
import { type Charged, type ItemFees, itemFees, noFees } from "./item-fees.ts";
import { type LimitPeriods, limitPeriods } from "./periods.ts";
import type { AuthorizationRequest } from "./request.ts";

/** One authorization as the decision's statement takes it, everything computed that needs no lock. */
export interface DecisionItem {
  readonly facts: CardFacts;
  readonly consumeNo: string;
  /** Of the authorization that this one adds to; empty for one of its own. */
  readonly consumeRelateNo: string;
  readonly networkReference: string;
  readonly type: "Consumption" | "Atm" | "Refund";
  readonly asks: boolean;
  readonly partialAllowed: boolean;
  /** A refusal that is certain already; the card's status still goes first. */
  readonly preset: DeclineReason | "";
  readonly amount: bigint;
  readonly exchange: Exchange | null;
  /** What fees depend on, for an amount that turns out lower. */
  readonly charged: Charged;
  readonly fees: ItemFees;
  /** With all fees charged: what is shown, and what each account bears in all. */
  readonly feeRows: readonly FeeRow[];
  readonly fee: bigint;
  readonly creditTotal: bigint;
  readonly reserveTotal: bigint;
  readonly wallet: boolean;
  readonly recurring: boolean;
  /** A schedule of the card charges for declines. */
  readonly declineFee: boolean;
  readonly limits: ProductLimits;
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

/** What comes in counts against no limit. */
const boundless: ProductLimits = {
  purchase: bounds.amountMinorMax,
  week: bounds.amountMinorMax,
  atmDay: bounds.amountMinorMax,
  atmMonth: bounds.amountMinorMax,
};

const typeOf: Record<AuthorizationRequest["kind"], DecisionItem["type"]> = {
  purchase: "Consumption",
  atm: "Atm",
  balance_inquiry: "Atm",
  refund: "Refund",
};

export interface ItemParts {
  readonly request: AuthorizationRequest;
  readonly facts: CardFacts;
  /** The amount in the card's currency; null when nobody could tell it. */
  readonly billed: Billed | null;
  /** Empty for an authorization of its own. */
  readonly consumeRelateNo: string;
  /** A refusal found before (expiry, CVV). */
  readonly preset: DeclineReason | "";
  readonly now: number;
}

/** Puts an authorization together. */
export function decisionItem({ request, facts, billed, consumeRelateNo, preset, now }: ItemParts): DecisionItem {
  const amount = billed?.amount ?? 0n;
  const type = typeOf[request.kind];
  // An increment goes on with its purchase: the wallet was charged for with that one.
  const wallet = request.wallet && consumeRelateNo === "";
  const charged: Charged = {
    amount,
    kind: type === "Atm" ? "withdrawal" : "purchase",
    currency: request.currency,
    wallet,
    at: now,
  };
  const fees = type === "Refund" ? noFees(facts) : itemFees(facts, charged);
  const consumeNo = orderNumber("O", now);
  const localAmount = isCurrency(request.currency)
    ? formatAmount(request.amount, decimalsOf(request.currency))
    : request.amount.toString();
  const shown = {
    consumeNo,
    consumeRelateNo,
    cardNo: facts.cardNo,
    cardholderNo: facts.cardholderNo,
    type,
    amount,
    localAmount,
    localCurrency: request.currency,
  } as const;
  const taken = type === "Refund" ? 0n : amount;
  return {
    facts,
    consumeNo,
    consumeRelateNo,
    networkReference: request.networkReference,
    type,
    asks: facts.mode === "AUTHORIZATION" && type !== "Refund",
    partialAllowed: request.partialAllowed,
    preset: preset === "" && billed === null ? "currency_not_supported" : preset,
    amount,
    exchange: billed?.exchange ?? null,
    charged,
    fees,
    feeRows: fees.shown.rows,
    fee: fees.shown.total,
    creditTotal: fees.cardholder === null ? 0n : taken + fees.cardholder.total,
    reserveTotal: taken + fees.reserve.total,
    wallet,
    recurring: request.recurring,
    declineFee: (facts.cardholderRates?.declineFee ?? 0n) > 0n || facts.costRates.declineFee > 0n,
    limits: type === "Refund" ? boundless : facts.limits,
    periods: limitPeriods(now, facts.utcOffsetMinutes),
    localAmount,
    localCurrency: request.currency,
    acceptor: request.acceptor,
    holdId: uuid7(now),
    callbackId: uuid7(now),
    dataHead: dataHead(shown),
    dataApproved: dataFees({ fee: fees.shown.total, remark: "", detail: "", feeRows: fees.shown.rows }),
    dataTail: dataTail(request.acceptor),
    at: now,
    holdUntil: now + holdMs(request.acceptor.mcc),
  };
}
