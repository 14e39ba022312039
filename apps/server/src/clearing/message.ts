import type { CurrencyCode, Rate } from "@cardwright/money";
import type { CardAcceptor } from "#consumptions/index.ts";

/** What every message of the network says about money. */
export interface MessageAmount {
  /** Minor units in the currency of the transaction. */
  readonly amount: bigint;
  readonly currency: CurrencyCode;
  /** Minor units in the card's currency, when the network has converted the amount. */
  readonly billingAmount: bigint | null;
  /** How much of the card's currency one unit of the transaction's buys, when the network says so. */
  readonly exchangeRate: Rate | null;
}

/** The presentment of a purchase, a withdrawal or a refund: the shop's bank wants the money, or brings it back. Cannot be refused. */
export interface Presentment extends MessageAmount {
  /** The network's own reference of this message, unique for ever; the same one gets the same answer. */
  readonly networkReference: string;
  /** Of the authorization that it is about; empty for one without. */
  readonly originalReference: string;
  readonly pan: string;
  readonly kind: "purchase" | "atm" | "refund";
  /** No more parts will follow. */
  readonly final: boolean;
  readonly acceptor: CardAcceptor;
}

/** The network has approved in our stead and tells it afterwards. */
export interface Advice extends MessageAmount {
  readonly networkReference: string;
  readonly pan: string;
  readonly kind: "purchase" | "atm";
  readonly wallet: boolean;
  readonly recurring: boolean;
  /** The network reference of the authorization that this one adds to; empty when it stands alone. */
  readonly incrementOf: string;
  readonly acceptor: CardAcceptor;
}

/** A transaction is undone, or a part of it. Amounts as the network said them. */
export interface ReversalMessage {
  readonly networkReference: string;
  /** Of the authorization; or of the clearing, refund or advice that made what nobody had authorized. */
  readonly originalReference: string;
  readonly pan: string;
  /** How much is reversed, decimal text in the transaction's currency; null for everything that is left. */
  readonly amount: string | null;
  /** The same in the card's currency, minor units, when the network says it; it counts more than `amount`. */
  readonly billingAmount: bigint | null;
}

/**
 * What became of a message. `no_effect`: nothing was left to be done. `stored`: a reversal that came before its authorization, which
 * will be declined when it comes.
 */
export const effects = [
  "cleared",
  "partially_cleared",
  "over_captured",
  "cleared_late",
  "force_posted",
  "refunded",
  "parked",
  "reversed",
  "partially_reversed",
  "reversed_after_clearing",
  "no_effect",
  "stored",
  "booked",
] as const;
export type Effect = (typeof effects)[number];

/**
 * Why a message was not taken. `card_not_found`: no card has the number. `duplicate`: another message had this reference.
 * `currency_not_supported`: nobody can tell what it is in the card's currency; `authorization_under_way`: its purchase is not decided
 * yet. The last two leave nothing behind: the same message may come again.
 */
export const messageRefusals = [
  "card_not_found",
  "duplicate",
  "currency_not_supported",
  "authorization_under_way",
] as const;
export type MessageRefusal = (typeof messageRefusals)[number];

/**
 * The answer to the network; durable before it is given. `consumeNo` is the consumption that was made or changed; the original where
 * there was no effect; empty where there is neither.
 */
export type MessageAnswer =
  | { readonly accepted: true; readonly effect: Effect; readonly consumeNo: string; readonly repeat: boolean }
  | { readonly accepted: false; readonly effect: MessageRefusal };
