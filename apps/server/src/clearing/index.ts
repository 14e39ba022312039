/** What becomes of a card transaction after its authorization, and what its card costs by itself. */
import { formatRate } from "@cardwright/money";
import type { Initiator } from "#audit/index.ts";
import { ok, type Result, refused } from "#kernel/index.ts";
import { takeAdvice } from "./advise.ts";
import { billedOf } from "./billing.ts";
import { clearPurchase } from "./clear-purchase.ts";
import { chargeDueFees, nextDueFee } from "./due-fees.ts";
import { localText } from "./local-amount.ts";
import type { Advice, MessageAmount, MessageAnswer, Presentment, ReversalMessage } from "./message.ts";
import { listParked, type ParkedRefusal, type Resolution, resolve } from "./parked-refunds.ts";
import type { ParkedFilter, ParkedRefund } from "./parked-store.ts";
import { type Done, type ReceiveDeps, type Reception, receive, type Untaken } from "./receive.ts";
import { clearRefund } from "./refund.ts";
import { nextExpiry, releaseExpired } from "./release.ts";
import { plainAmount, takeReversal } from "./reverse.ts";

export type { RateOf } from "./billing.ts";
export { createManagement, type Management, type ManagementDeps } from "./management.ts";
export type { ExemptionChange, ExemptionRefusal, ManagementExemption } from "./management-exemption.ts";
export {
  type Advice,
  type Effect,
  effects,
  type MessageAmount,
  type MessageAnswer,
  type MessageRefusal,
  messageRefusals,
  type Presentment,
  type ReversalMessage,
} from "./message.ts";
export { type ParkedRefusal, parkedNoteCharactersMax, type Resolution, resolutions } from "./parked-refunds.ts";
export { type ParkedFilter, type ParkedRefund, type ParkedStatus, parkedStatuses } from "./parked-store.ts";
export { clearingRules } from "./rules.ts";

export type ClearingDeps = ReceiveDeps;

/** Messages are taken once, by the network's own reference; a repeat gets the same answer. */
export interface Clearing {
  /** A purchase, withdrawal or refund is presented. Cannot be refused, but by `MessageRefusal`. */
  clear(presentment: Presentment): Promise<MessageAnswer>;
  /** The network has approved in our stead. */
  advise(advice: Advice): Promise<MessageAnswer>;
  /** Undoes a transaction or a part of it. Refuses what is not an amount of the transaction's currency. */
  reverse(message: ReversalMessage): Promise<Result<MessageAnswer, "amount">>;
  /** Ends holds that have run out, by `until` (Unix ms) when it is given; answers how many. For the worker. */
  releaseExpired(until?: number): Promise<number>;
  /** When the next one after `after` runs out, Unix ms; null when none is open. */
  nextExpiry(after: number): Promise<number | null>;
  /** Charges the fees of declines and cancels; answers how many were settled. For the worker. */
  chargeDueFees(): Promise<number>;
  /** The moment of the next transaction after `after` whose fee waits, Unix ms; null when none does. */
  nextDueFee(after: number): Promise<number | null>;
  /** Newest first. */
  listParkedRefunds(filter: ParkedFilter): Promise<ParkedRefund[]>;
  resolveParkedRefund(
    input: { readonly parkedNo: string; readonly resolution: Resolution; readonly note: string },
    by: Initiator,
  ): Promise<Result<ParkedRefund, ParkedRefusal>>;
}

export function createClearing(deps: ClearingDeps): Clearing {
  return {
    clear: (presentment) => clear(deps, presentment),
    advise: (advice) => advise(deps, advice),
    reverse: (message) => reverse(deps, message),
    releaseExpired: (until) => releaseExpired(deps, until),
    nextExpiry: (after) => nextExpiry(deps.pool, after),
    chargeDueFees: () => chargeDueFees(deps),
    nextDueFee: (after) => nextDueFee(deps.pool, after),
    listParkedRefunds: (filter) => listParked(deps, filter),
    resolveParkedRefund: (input, by) => resolve(deps, input, by),
  };
}

async function clear(deps: ClearingDeps, message: Presentment): Promise<MessageAnswer> {
  const { networkReference, originalReference, pan, kind, final, amount, currency } = message;
  const billed = await billedOf(message, { rateOf: deps.rateOf, at: deps.clock.now() });
  const work = async (reception: Reception): Promise<Done | Untaken> => {
    if (billed === null) {
      return { untaken: "currency_not_supported" };
    }
    const presentment = { message, billed };
    return kind === "refund" ? clearRefund(reception, presentment) : clearPurchase(reception, presentment);
  };
  const content = [kind, final, ...saidOf(message)];
  const said = { localAmount: localText(amount, currency), localCurrency: currency, content };
  const messageKind = kind === "refund" ? "refund" : "clearing";
  return receive(deps, { ...said, kind: messageKind, networkReference, originalReference, pan }, work);
}

async function advise(deps: ClearingDeps, message: Advice): Promise<MessageAnswer> {
  const { networkReference, pan, kind, incrementOf, amount, currency } = message;
  const billed = await billedOf(message, { rateOf: deps.rateOf, at: deps.clock.now() });
  const work = async (reception: Reception): Promise<Done | Untaken> =>
    billed === null ? { untaken: "currency_not_supported" } : takeAdvice(reception, { message, billed });
  const content = [kind, ...saidOf(message)];
  const said = { localAmount: localText(amount, currency), localCurrency: currency, content };
  return receive(deps, { ...said, kind: "advice", networkReference, originalReference: incrementOf, pan }, work);
}

async function reverse(deps: ClearingDeps, message: ReversalMessage): Promise<Result<MessageAnswer, "amount">> {
  const { networkReference, originalReference, pan, amount, billingAmount } = message;
  // Its currency is that of the original, which is not known yet.
  const said = { localAmount: plainAmount(amount), localCurrency: "", content: [billingAmount?.toString() ?? ""] };
  const answer = await receive<"amount">(
    deps,
    { ...said, kind: "reversal", networkReference, originalReference, pan },
    (reception) => takeReversal(reception, message),
  );
  if (answer.accepted) {
    return ok(answer);
  }
  const { effect } = answer;
  return effect === "amount" ? refused("amount") : ok({ accepted: false, effect });
}

/** What a repeat must say alike about the amount in the card's currency. */
function saidOf({ billingAmount, exchangeRate }: MessageAmount): string[] {
  return [billingAmount?.toString() ?? "", exchangeRate === null ? "" : formatRate(exchangeRate)];
}
