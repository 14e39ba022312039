import type { Pool } from "pg";
import { inTransaction } from "#database/index.ts";
import type { Clock } from "#kernel/index.ts";
import { cards as bounds } from "../limits.ts";
import type { CardMaker } from "./ports.ts";
import { changeStatus } from "./status.ts";
import { type CardBeingMade, lockCard, selectBeingMade } from "./store.ts";

export interface MakingDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly maker: CardMaker;
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
    await changeStatus(sql, {
      merchantId: card.merchantId,
      cardNo: card.cardNo,
      from: "Pending",
      to,
      reason,
      at: deps.clock.now(),
    });
    return true;
  });
}
