import type { Pool } from "pg";
import { inTransaction } from "#database/index.ts";
import type { Clock } from "#kernel/index.ts";
import { cards as bounds } from "../limits.ts";
import type { Card } from "./card.ts";
import { type OpeningCost, returnOpeningCost } from "./opening-cost.ts";
import type { CardMaker } from "./ports.ts";
import { changeStatus } from "./status.ts";
import { type CardBeingMade, lockCard, selectBeingMade } from "./store.ts";

export interface MakingDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly maker: CardMaker;
  /** What a card has cost by the terms it was opened with; minor units, `cardholderPays` null in authorization mode. */
  readonly openingCostOf: (card: Card) => Promise<Pick<OpeningCost, "cardholderPays" | "reservePays">>;
}

/**
 * One round of the worker over physical cards that are being made: orders what is not ordered yet and takes over what the maker
 * has finished. Safe in any number of workers: orders repeat without effect, the card's locked row lets one of them change it.
 */
export async function advanceMaking(deps: MakingDeps): Promise<number> {
  let changed = 0;
  let after: CardBeingMade | null = null;
  for (let batches = 0; batches < bounds.makingBatchesMax; batches += 1) {
    // Every card is looked at, not only the oldest: some stay with the maker for days.
    const cards: CardBeingMade[] = await selectBeingMade(deps.pool, { after, limit: bounds.makingBatchMax });
    for (const card of cards) {
      changed += (await advanceOne(deps, card)) ? 1 : 0;
    }
    after = cards.at(-1) ?? null;
    if (cards.length < bounds.makingBatchMax) {
      break;
    }
  }
  return changed;
}

async function advanceOne(deps: MakingDeps, card: CardBeingMade): Promise<boolean> {
  const state = await deps.maker.stateOf(card);
  if (state === "unknown") {
    await deps.maker.order(card);
    return false;
  }
  if (state === "ordered") {
    return false;
  }
  const to = state === "failed" ? "Fail" : "ToActivate";
  const reason = state === "failed" ? "the card could not be made" : "";
  return inTransaction(deps.pool, async (sql) => {
    const locked = await lockCard(sql, card);
    if (locked?.status !== "Pending") {
      return false;
    }
    const { merchantId, cardNo, cardholderNo } = locked;
    const at = deps.clock.now();
    await changeStatus(sql, { merchantId, cardNo, from: "Pending", to, reason, at });
    if (to === "Fail") {
      const paid = await deps.openingCostOf(locked);
      await returnOpeningCost(sql, { merchantId, cardNo, cardholderNo, ...paid, at });
    }
    return true;
  });
}
