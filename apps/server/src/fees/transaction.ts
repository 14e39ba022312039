/**
 * How the small-transaction fee of one purchase was decided. It is decided once: fees are recomputed from the final amount at
 * clearing and after a partial reversal (contract section 9), and that must neither use a second free one nor take a free one
 * back because a period has changed.
 */
export type SmallDecision = "open" | "free" | "charged";

/** A purchase or withdrawal at its authorization, its clearing or after a partial reversal: fees follow the present amount. */
export interface SpendingTransaction {
  readonly kind: "purchase" | "withdrawal";
  /** Minor units of the card's currency, without fees; zero is an account verification. */
  readonly amount: bigint;
  /** ISO 4217, of the amount the shop asked for. */
  readonly currency: string;
  /** A tokenised wallet was used instead of the card itself. */
  readonly wallet: boolean;
  /** `open` until the first computation; afterwards what that one answered. */
  readonly small: SmallDecision;
}

/** What happens to a card that can cost something, apart from its opening and its keeping. */
export type ChargedTransaction =
  | SpendingTransaction
  /** An authorization that was refused; `amount` is what was asked for, minor units of the card's currency. */
  | { readonly kind: "decline"; readonly amount: bigint }
  /** A full reversal of an approved purchase or withdrawal before clearing; `amount` is what had been held. */
  | { readonly kind: "cancel"; readonly of: "purchase" | "withdrawal"; readonly amount: bigint }
  /** Money given back after clearing; `amount` is what is given back, minor units of the card's currency. */
  | { readonly kind: "refund"; readonly amount: bigint };
