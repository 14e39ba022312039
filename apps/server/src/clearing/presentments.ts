/** What the network presents: clearings, refunds and stand-in advices. */
import { formatRate } from "@cardwright/money";
import type { Initiator } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import { takeAdvice } from "./advise.ts";
import { billedOf } from "./billing.ts";
import { clearPurchase, localText } from "./clear-purchase.ts";
import type { Advice, MessageAmount, MessageAnswer, Presentment } from "./message.ts";
import { listParked, type ParkedRefusal, type Resolution, resolve } from "./parked-refunds.ts";
import type { ParkedFilter, ParkedRefund } from "./parked-store.ts";
import { type Done, type ReceiveDeps, type Reception, receive, type Untaken } from "./receive.ts";
import { clearRefund } from "./refund.ts";

export type { RateOf } from "./billing.ts";
export {
  type Advice,
  type Effect,
  effects,
  type MessageAmount,
  type MessageAnswer,
  type MessageRefusal,
  messageRefusals,
  type Presentment,
} from "./message.ts";
export { type ParkedRefusal, parkedNoteCharactersMax, type Resolution, resolutions } from "./parked-refunds.ts";
export { type ParkedFilter, type ParkedRefund, type ParkedStatus, parkedStatuses } from "./parked-store.ts";

export type PresentmentsDeps = ReceiveDeps;

export interface Presentments {
  /** A purchase, withdrawal or refund is presented. Cannot be refused, but by `MessageRefusal`. */
  clear(presentment: Presentment): Promise<MessageAnswer>;
  /** The network has approved in our stead. */
  advise(advice: Advice): Promise<MessageAnswer>;
  /** Newest first. */
  listParkedRefunds(filter: ParkedFilter): Promise<ParkedRefund[]>;
  resolveParkedRefund(
    input: { readonly parkedNo: string; readonly resolution: Resolution; readonly note: string },
    by: Initiator,
  ): Promise<Result<ParkedRefund, ParkedRefusal>>;
}

export function createPresentments(deps: PresentmentsDeps): Presentments {
  return {
    clear: (presentment) => clear(deps, presentment),
    advise: (advice) => advise(deps, advice),
    listParkedRefunds: (filter) => listParked(deps, filter),
    resolveParkedRefund: (input, by) => resolve(deps, input, by),
  };
}

async function clear(deps: PresentmentsDeps, message: Presentment): Promise<MessageAnswer> {
  const { networkReference, originalReference, pan, kind, final, currency } = message;
  const billed = await billedOf(message, { rateOf: deps.rateOf, at: deps.clock.now() });
  const work = async (reception: Reception): Promise<Done | Untaken> => {
    if (billed === null) {
      return { untaken: "currency_not_supported" };
    }
    const presentment = { message, billed };
    return kind === "refund" ? clearRefund(reception, presentment) : clearPurchase(reception, presentment);
  };
  const said = { localAmount: localText(message), localCurrency: currency, content: [kind, final, ...saidOf(message)] };
  const messageKind = kind === "refund" ? "refund" : "clearing";
  return receive(deps, { ...said, kind: messageKind, networkReference, originalReference, pan }, work);
}

async function advise(deps: PresentmentsDeps, message: Advice): Promise<MessageAnswer> {
  const { networkReference, pan, kind, incrementOf, currency } = message;
  const billed = await billedOf(message, { rateOf: deps.rateOf, at: deps.clock.now() });
  const work = async (reception: Reception): Promise<Done | Untaken> =>
    billed === null ? { untaken: "currency_not_supported" } : takeAdvice(reception, { message, billed });
  const said = { localAmount: localText(message), localCurrency: currency, content: [kind, ...saidOf(message)] };
  return receive(deps, { ...said, kind: "advice", networkReference, originalReference: incrementOf, pan }, work);
}

/** What a repeat must say alike about the amount in the card's currency. */
function saidOf({ billingAmount, exchangeRate }: MessageAmount): string[] {
  return [billingAmount?.toString() ?? "", exchangeRate === null ? "" : formatRate(exchangeRate)];
}
