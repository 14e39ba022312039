import { setTimeout as sleep } from "node:timers/promises";
import { type DeclineReason, isDeclineReason } from "@cardwright/contract";
import { authData } from "#consumptions/index.ts";
import { type Batcher, isUnavailable } from "#database/index.ts";
import type { UsedRate } from "#exchange/index.ts";
import type { SmallDecision } from "#fees/index.ts";
import { type Clock, unreachable } from "#kernel/index.ts";
import { authorization as bounds } from "../limits.ts";
import type { AskMerchant } from "./ask.ts";
import { billed } from "./billing.ts";
import { conclusionOf, weigh } from "./conclusion.ts";
import type { CardFacts, CardKey, FactsCache } from "./facts.ts";
import { type DecisionItem, decisionItem } from "./item.ts";
import type { AuthorizationAnswer, AuthorizationRequest } from "./request.ts";
import type { ConclusionItem, ConclusionRow, DecisionRow } from "./store.ts";

export interface AuthorizeDeps {
  readonly clock: Clock;
  /** Which card a number belongs to; null for a number that was never issued. */
  readonly identify: (pan: string) => Promise<CardKey | null>;
  readonly cvvIsRight: (given: {
    readonly pan: string;
    readonly expiry: CardFacts["expiry"];
    readonly cvv: string;
  }) => Promise<boolean>;
  readonly facts: FactsCache;
  /** A rate of our own table into the card's currency; null where there is none. */
  readonly rateOf: (currency: string) => Promise<UsedRate | null>;
  /** The authorization that the network names by its reference. */
  readonly consumeNoOf: (key: {
    readonly merchantId: number;
    readonly networkReference: string;
  }) => Promise<string | null>;
  readonly availableOf: (account: { readonly merchantId: number; readonly accountId: string }) => Promise<bigint>;
  readonly decisions: Batcher<DecisionItem, DecisionRow>;
  readonly conclusions: Batcher<ConclusionItem, ConclusionRow>;
  readonly ask: AskMerchant;
  /** Called when the network gets `system_error`, with the cause; the request itself must not be logged. */
  readonly onError: (error: unknown) => void;
}

const declined = (reason: DeclineReason, consumeNo: string | null = null) =>
  ({ approved: false, consumeNo, reason, merchantReason: null, repeat: false }) as const;

/**
 * Decides one authorization. Never throws: what goes wrong on our side is declined with `system_error`, and whatever was held
 * for it comes back by itself. An approval is in the ledger, durably, before it is returned.
 */
export async function authorize(deps: AuthorizeDeps, request: AuthorizationRequest): Promise<AuthorizationAnswer> {
  try {
    const key = await deps.identify(request.pan);
    return key === null ? declined("card_not_found") : await decideCard(deps, request, key);
  } catch (error) {
    deps.onError(error);
    return declined("system_error");
  }
}

async function decideCard(
  deps: AuthorizeDeps,
  request: AuthorizationRequest,
  key: CardKey,
): Promise<AuthorizationAnswer> {
  for (let attempt = 0; attempt <= bounds.staleRetriesMax; attempt += 1) {
    const facts = await deps.facts.of(key);
    if (facts === null) {
      return declined("card_not_found");
    }
    const now = deps.clock.now();
    const item = decisionItem({
      request,
      facts,
      billed: await billed(request, { rateOf: deps.rateOf, now }),
      consumeRelateNo: await relationOf(deps, { request, key }),
      preset: await refusalBefore(deps, { request, facts, now }),
      now,
    });
    const row = ownFirst(item, await submitForCertain(deps.decisions, item));
    if (row.verdict !== "stale") {
      return withBalance(deps, { request, facts, answer: await answerOf(deps, { item, row }) });
    }
    deps.facts.forget(key);
  }
  throw new Error(`the card changed ${bounds.staleRetriesMax + 1} times during one decision`);
}

/** Of an increment. One whose authorization we do not know stands by itself. */
async function relationOf(
  deps: AuthorizeDeps,
  { request, key }: { readonly request: AuthorizationRequest; readonly key: CardKey },
): Promise<string> {
  const { incrementOf: networkReference } = request;
  return networkReference === null
    ? ""
    : ((await deps.consumeNoOf({ merchantId: key.merchantId, networkReference })) ?? "");
}

/** A balance inquiry is answered with what the cardholder can spend; in authorization mode only the merchant knows that. */
async function withBalance(
  deps: AuthorizeDeps,
  asked: { readonly request: AuthorizationRequest; readonly facts: CardFacts; readonly answer: AuthorizationAnswer },
): Promise<AuthorizationAnswer> {
  const { request, facts, answer } = asked;
  if (!answer.approved || request.kind !== "balance_inquiry" || facts.creditAccountId === null) {
    return answer;
  }
  const { merchantId, creditAccountId: accountId } = facts;
  return { ...answer, balance: await deps.availableOf({ merchantId, accountId }) };
}

/**
 * A connection that breaks leaves open whether its statement was done, and a decline must not be answered over an approval that
 * was. Both statements tell it when the same item comes again, so it does, for as long as that makes sense to a waiting network.
 */
async function submitForCertain<Item, Row>(batcher: Batcher<Item, Row>, item: Item): Promise<Row> {
  const startedMs = performance.now();
  for (let retry = 1; ; retry += 1) {
    try {
      return await batcher.submit(item);
    } catch (error) {
      const tooLate = performance.now() - startedMs > bounds.uncertainMsMax;
      if (!isUnavailable(error) || retry > bounds.uncertainRetriesMax || tooLate) {
        throw error;
      }
      await sleep(bounds.uncertainWaitMs);
    }
  }
}

/** A repeat of the item itself was its own first try, whose outcome was lost on the way. */
function ownFirst(item: DecisionItem, row: DecisionRow): DecisionRow {
  if (row.verdict !== "repeat" || row.consumeNo !== item.consumeNo) {
    return row;
  }
  switch (row.consumptionStatus) {
    case "Asking":
      return { ...row, verdict: "asking" };
    case "Fail":
      return { ...row, verdict: "declined" };
    case "Pending":
    case "Success":
      return { ...row, verdict: "approved" };
    case "":
      return row;
    default:
      return unreachable(row.consumptionStatus);
  }
}

/** What can be refused without a lock. */
async function refusalBefore(
  deps: AuthorizeDeps,
  options: { readonly request: AuthorizationRequest; readonly facts: CardFacts; readonly now: number },
): Promise<DeclineReason | ""> {
  const { request, facts } = options;
  const { expiry } = facts;
  const wrongExpiry =
    request.expiry !== null && (request.expiry.year !== expiry.year || request.expiry.month !== expiry.month);
  // A card is good to the end of its last month, in its own time zone.
  const endsAt = Date.UTC(expiry.year, expiry.month, 1) - facts.utcOffsetMinutes * 60_000;
  if (wrongExpiry || options.now >= endsAt) {
    return "card_expired";
  }
  const rightCvv = request.cvv === null || (await deps.cvvIsRight({ pan: request.pan, expiry, cvv: request.cvv }));
  return rightCvv ? "" : "cvv_mismatch";
}

async function answerOf(
  deps: AuthorizeDeps,
  decided: { readonly item: DecisionItem; readonly row: DecisionRow },
): Promise<AuthorizationAnswer> {
  const { item, row } = decided;
  switch (row.verdict) {
    case "approved":
      return { approved: true, consumeNo: row.consumeNo, partialAmount: null, balance: null, repeat: false };
    case "declined":
      return declined(reasonOf(row.reason), row.consumeNo);
    case "asking":
      return askAndConclude(deps, { item, small: row.smallCost });
    case "repeat":
      return row.consumptionStatus === "Asking" ? awaitFirst(deps, item) : repeatOf(row);
    case "stale":
      throw new Error("a stale decision has no answer");
    default:
      return unreachable(row.verdict);
  }
}

function reasonOf(remark: string): DeclineReason {
  // Its reversal came first: for the network that is a message too many.
  const reason = remark === "reversed" ? "duplicate" : remark;
  return isDeclineReason(reason) ? reason : "system_error";
}

/** The same message again gets the same answer: an approval stays one even when its hold has ended since. */
function repeatOf(row: DecisionRow): AuthorizationAnswer {
  const wasApproved = row.consumptionStatus !== "Fail" || row.reason === "expired" || row.reason === "reversed";
  const { consumeNo } = row;
  if (wasApproved) {
    return { approved: true, consumeNo, partialAmount: row.partialAmount, balance: null, repeat: true };
  }
  const merchantReason = row.merchantReason === "" ? null : row.merchantReason;
  return { approved: false, consumeNo, reason: reasonOf(row.reason), merchantReason, repeat: true };
}

/** The first message is still with the merchant: its answer is ours. Looking again is a repeat, which writes nothing. */
async function awaitFirst(deps: AuthorizeDeps, item: DecisionItem): Promise<AuthorizationAnswer> {
  for (let look = 0; look < bounds.repeatLooksMax; look += 1) {
    await sleep(bounds.repeatLookMs);
    const row = await deps.decisions.submit(item);
    if (row.consumptionStatus !== "Asking") {
      return repeatOf(row);
    }
  }
  throw new Error("a repeated message waited in vain for the first one's answer");
}

async function askAndConclude(
  deps: AuthorizeDeps,
  { item, small }: { readonly item: DecisionItem; readonly small: SmallDecision },
): Promise<AuthorizationAnswer> {
  const { facts, consumeNo } = item;
  const answer = await deps.ask({ merchantId: facts.merchantId, consumeNo, data: authDataOf(item) });
  const { end, partial } = weigh(item, answer, small);
  const conclusion = conclusionOf(item, { end, partial, small, now: deps.clock.now() });
  const row = await submitForCertain(deps.conclusions, conclusion);
  if (row.consumptionStatus !== "Fail") {
    return { approved: true, consumeNo, partialAmount: partial?.amount ?? null, balance: null, repeat: false };
  }
  const merchantReason = end.outcome === "refused" ? end.detail : null;
  return { ...declined(reasonOf(row.remark), consumeNo), merchantReason };
}

function authDataOf(item: DecisionItem): string {
  return authData({
    consumeNo: item.consumeNo,
    cardNo: item.facts.cardNo,
    cardholderNo: item.facts.cardholderNo,
    type: item.type,
    amount: item.amount,
    localAmount: item.localAmount,
    localCurrency: item.localCurrency,
    acceptor: item.acceptor,
    createdAt: item.at,
  });
}
