import type { CardUpdateCallback } from "@cardwright/sdk";
import { type Database } from "./database.ts";
import { firstReceipt } from "./purchases.ts";

export interface IssuedCard {
  readonly cardNo: string;
  readonly status: string;
  readonly lastNo: string;
  readonly cardUniqueNo: string;
  readonly userId: string;
  readonly cardType: string;
}

/** Keeps a card the platform made. A status that a Card_update has brought meanwhile is newer and stays. */
export function recordCard(db: Database, card: IssuedCard): void {
  db.run(
    `INSERT INTO cards (card_no, card_unique_no, user_id, card_type, last_no, status, status_time)
      VALUES (:cardNo, :cardUniqueNo, :userId, :cardType, :lastNo, :status, 0)
      ON CONFLICT (card_no) DO UPDATE SET card_unique_no = excluded.card_unique_no, user_id = excluded.user_id,
        card_type = excluded.card_type, last_no = excluded.last_no,
        status = iif(cards.status_time = 0, excluded.status, cards.status)`,
    { ...card },
  );
}

/** Applies a card's new status; call it inside a transaction. Older news than the last is superseded. */
export function applyCardUpdate(
  db: Database,
  callback: CardUpdateCallback,
  nowMs: number,
): "applied" | "superseded" | "repeated" {
  const { card_no: cardNo, after_status: afterStatus, time } = callback.data;
  if (!firstReceipt(db, callback, nowMs)) return "repeated";
  const changed = db.run(
    `INSERT INTO cards (card_no, status, status_time) VALUES (:cardNo, :afterStatus, :time)
      ON CONFLICT (card_no) DO UPDATE SET status = excluded.status, status_time = excluded.status_time
      WHERE excluded.status_time >= cards.status_time`,
    { cardNo, afterStatus, time },
  );
  return changed === 1 ? "applied" : "superseded";
}
