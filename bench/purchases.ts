import type { AuthorizationRequest } from "../apps/server/src/authorization/index.ts";
import { type Random, seededRandom } from "./arrivals.ts";
import type { ProgrammeCard } from "./programme.ts";

/** Makes purchases by cards chosen at random: the same ones for the same seed, but for the network's reference. */
export function purchaseSource(
  cards: readonly ProgrammeCard[],
  options: { readonly seed: number; readonly reference: string },
): () => AuthorizationRequest {
  const random = seededRandom(options.seed);
  let count = 0;
  return () => {
    count += 1;
    return purchase(cardAt(cards, random), { reference: `${options.reference}-${count}`, random });
  };
}

function cardAt(cards: readonly ProgrammeCard[], random: Random): ProgrammeCard {
  const card = cards[Math.floor(random() * cards.length)];
  if (card === undefined) {
    throw new Error("the programme has no cards");
  }
  return card;
}

function purchase(
  card: ProgrammeCard,
  { reference, random }: { readonly reference: string; readonly random: Random },
): AuthorizationRequest {
  return {
    networkReference: reference,
    pan: card.pan,
    expiry: null,
    cvv: null,
    kind: "purchase",
    wallet: false,
    partialAllowed: false,
    amount: BigInt(100 + Math.floor(random() * 4_900)),
    currency: "USD",
    billingAmount: null,
    exchangeRate: null,
    incrementOf: null,
    recurring: false,
    acceptor: { name: "Corner Shop", mcc: "5411", city: "Singapore", country: "SG" },
  };
}
