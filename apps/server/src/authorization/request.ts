import type { DeclineReason } from "@cardwright/contract";
import type { Rate } from "@cardwright/money";
import type { CardAcceptor } from "#consumptions/index.ts";

/**
 * One question of the card network, whatever protocol it came in: the HTTP front and ISO 8583 both make this. The PAN, expiry
 * and CVV are in it because the network sends them; nothing of them is stored or logged.
 */
export interface AuthorizationRequest {
  /** The network's own reference of the message, unique for ever; the same one gets the same answer. */
  readonly networkReference: string;
  readonly pan: string;
  readonly expiry: { readonly year: number; readonly month: number } | null;
  readonly cvv: string | null;
  /** `refund`: money is to come; nothing is taken, and the merchant is not asked. */
  readonly kind: "purchase" | "atm" | "balance_inquiry" | "refund";
  /** The network reference of an authorization that this one adds to (a hotel's second night); null for one of its own. */
  readonly incrementOf: string | null;
  /** The shop keeps the card and charges it by itself. */
  readonly recurring: boolean;
  /** A tokenised wallet was used instead of the card itself. */
  readonly wallet: boolean;
  /** The shop can take less than the whole amount (field 39 "10" of the answer). */
  readonly partialAllowed: boolean;
  /** Minor units in the currency of the transaction. */
  readonly amount: bigint;
  readonly currency: string;
  /** Minor units in the card's currency, when the network has converted the amount. */
  readonly billingAmount: bigint | null;
  /** How much of the card's currency one whole unit buys, when the network names it. */
  readonly exchangeRate: Rate | null;
  readonly acceptor: CardAcceptor;
}

/** The answer to the network. Durable before it is given: whoever reads "approved" finds it in the ledger. */
export type AuthorizationAnswer =
  | {
      readonly approved: true;
      readonly consumeNo: string;
      /** Minor units of the card's currency, when less than the whole amount was approved. */
      readonly partialAmount: bigint | null;
      /** Of a balance inquiry in credit mode: what the cardholder can spend, minor units of the card's currency. */
      readonly balance: bigint | null;
      readonly repeat: boolean;
    }
  | {
      readonly approved: false;
      readonly consumeNo: string | null;
      readonly reason: DeclineReason;
      /** The merchant's own word for its refusal, when it gave one. */
      readonly merchantReason: string | null;
      readonly repeat: boolean;
    };
