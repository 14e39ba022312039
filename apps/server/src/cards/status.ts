import type { CardStatus, RequestableCardStatus } from "@cardwright/contract";
import type { Pool } from "pg";
import { inTransaction, type Sql } from "#database/index.ts";
import { type Clock, ok, type Result, refused, uuid7 } from "#kernel/index.ts";
import { type CardKey, mayBecome } from "./card.ts";
import { enqueueCallback, lockCard, scheduleManagement, updateStatus } from "./store.ts";

export interface StatusChange extends CardKey {
  readonly from: CardStatus;
  readonly to: CardStatus;
  readonly reason: string;
  readonly at: number;
}

/**
 * Changes a card's status and tells the merchant (`Card_update`), in the caller's transaction, which holds the card's row. With a card
 * that has been made its management fees begin.
 */
export async function changeStatus(sql: Sql, change: StatusChange): Promise<void> {
  await updateStatus(sql, { merchantId: change.merchantId, cardNo: change.cardNo, status: change.to });
  if (change.from === "Pending" && change.to !== "Fail") {
    await scheduleManagement(sql, change);
  }
  await enqueueCallback(sql, {
    merchantId: change.merchantId,
    cardNo: change.cardNo,
    callbackId: uuid7(change.at),
    action: "Card_update",
    consumeNo: "",
    data: cardUpdateData(change),
    at: change.at,
  });
}

/** The `data` of a Card_update callback, its keys in the contract's order (section 6). */
function cardUpdateData(change: StatusChange): string {
  return JSON.stringify({
    card_no: change.cardNo,
    before_status: change.from,
    after_status: change.to,
    reason: change.reason,
    time: change.at,
  });
}

export type StatusRefusal = "card_unknown" | "status_change_not_allowed";

/** `card/status/update`: freeze, unfreeze, delete. To the present status it is a success without effect (contract section 4). */
export async function requestStatus(
  deps: { readonly pool: Pool; readonly clock: Clock },
  request: CardKey & { readonly to: RequestableCardStatus },
): Promise<Result<null, StatusRefusal>> {
  return inTransaction(deps.pool, async (sql) => {
    const card = await lockCard(sql, request);
    if (card === null) {
      return refused("card_unknown");
    }
    if (card.status === request.to) {
      return ok(null);
    }
    if (!mayBecome(card.status, request.to)) {
      return refused("status_change_not_allowed");
    }
    await changeStatus(sql, { ...request, from: card.status, reason: "", at: deps.clock.now() });
    return ok(null);
  });
}
