import type { Pool } from "pg";
import type { Card, CardKey, CardMaker } from "#cards/index.ts";
import { type Clock, ok, type Result, refused } from "#kernel/index.ts";
import { changeOrder, insertOrder, type OrderState, selectOrderState } from "./store.ts";

/** What a merchant can say of its card. */
export type ToldState = "made" | "shipped" | "failed";

export type TellRefusal = "card_unknown" | "card_not_physical" | "state_change_not_allowed";

export interface CardMakerDeps {
  readonly pool: Pool;
  readonly clock: Clock;
}

/** The states a card can be told out of; staying the same is a success without effect. A failed or shipped card stays so. */
const tellableFrom: Record<ToldState, readonly OrderState[]> = {
  made: ["ordered", "made"],
  shipped: ["ordered", "made", "shipped"],
  failed: ["ordered", "failed"],
};

/**
 * The card maker of a sandbox. A card is made as soon as it is ordered, except when the first line of its address contains
 * `manual` (it waits until its merchant says what becomes of it) or `fail` (it cannot be made).
 */
export function createCardMaker(deps: CardMakerDeps): CardMaker {
  return {
    order: (order) =>
      insertOrder(deps.pool, {
        merchantId: order.merchantId,
        cardNo: order.cardNo,
        state: firstState(order.address.addressLine1),
        at: deps.clock.now(),
      }),
    stateOf: async (card) => (await selectOrderState(deps.pool, card)) ?? "unknown",
  };
}

function firstState(addressLine1: string): OrderState {
  const line = addressLine1.toLowerCase();
  if (line.includes("manual")) {
    return "ordered";
  }
  return line.includes("fail") ? "failed" : "made";
}

/** Says what becomes of a card, for its merchant; it need not be ordered yet. The worker takes it over within its next round. */
export async function tellCardMaker(
  deps: CardMakerDeps & { readonly findCard: (key: CardKey) => Promise<Card | null> },
  told: CardKey & { readonly state: ToldState },
): Promise<Result<null, TellRefusal>> {
  const { merchantId, cardNo, state } = told;
  const card = await deps.findCard({ merchantId, cardNo });
  if (card === null) {
    return refused("card_unknown");
  }
  if (card.cardType === "Virtual") {
    return refused("card_not_physical");
  }
  const change = { merchantId, cardNo, state, from: tellableFrom[state], at: deps.clock.now() };
  return (await changeOrder(deps.pool, change)) ? ok(null) : refused("state_change_not_allowed");
}
