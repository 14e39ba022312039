/** A message of the network that undoes a transaction, or a part of it. Amounts as the network said them. */
export interface ReversalMessage {
  /** The network's own reference of this message: the same one gets the same answer. */
  readonly networkReference: string;
  /** Of the authorization, or of the clearing of one that never was authorized. */
  readonly originalReference: string;
  readonly pan: string;
  /** How much is reversed, decimal text in the transaction's currency; null for everything that is left. */
  readonly amount: string | null;
  /** The same in the card's currency, minor units, when the network says it; it counts more than `amount`. */
  readonly billingAmount: bigint | null;
}

/** What became of a reversal, in one word. */
const effects = [
  "reversed",
  "partially_reversed",
  "reversed_after_clearing",
  /** There was nothing left to undo: expired, declined, reversed before, or an account verification. */
  "no_effect",
  /** It came before its authorization, which will be declined when it comes. */
  "stored",
  "card_not_found",
  /** The same reference with other content. */
  "duplicate",
] as const;
export type ReversalEffect = (typeof effects)[number];

export interface ReversalAnswer {
  readonly accepted: boolean;
  readonly effect: ReversalEffect;
  /** The `Reversal` consumption that was made; the original where there was no effect; empty where there is neither. */
  readonly consumeNo: string;
  readonly repeat: boolean;
}

/** `amount`: not an amount of the transaction's currency. `being_asked`: its merchant has not answered yet; come again. */
export type ReversalRefusal = "amount" | "being_asked";

/** An effect as the table keeps it. */
export function effectOf(stored: string): ReversalEffect {
  const effect = effects.find((known) => known === stored);
  if (effect === undefined) {
    throw new Error("a reversal was stored with an unknown effect");
  }
  return effect;
}

/** The same amount written in another way is the same content. */
export function plainAmount(text: string | null): string {
  if (text === null) {
    return "";
  }
  const shortest = text.includes(".") ? text.replace(/\.?0+$/u, "") : text;
  return shortest.replace(/^0+(?=\d)/u, "");
}
