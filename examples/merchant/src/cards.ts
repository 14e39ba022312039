import { type Callback } from "./callback-signature.ts";
import { type Database } from "./database.ts";
import type { CardStatus } from "./platform-client.ts";
import { firstReceipt } from "./purchases.ts";
import { type RawMembers, stringOf } from "./raw-json.ts";

export interface IssuedCard extends CardStatus {
  readonly cardNo: string;
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

export interface CardUpdate {
  readonly cardNo: string;
  readonly afterStatus: string;
  /** Unix ms. */
  readonly time: bigint;
}

/** Reads the `data` of a Card_update callback; undefined when it is not as agreed. */
export function readCardUpdate(data: RawMembers): CardUpdate | undefined {
  const cardNo = stringOf(data.get("card_no"));
  const afterStatus = stringOf(data.get("after_status"));
  const time = data.get("time") ?? "";
  if (cardNo === undefined || afterStatus === undefined || !/^\d{1,15}$/u.test(time)) return undefined;
  return { cardNo, afterStatus, time: BigInt(time) };
}

/** Applies a card's new status; call it inside a transaction. Older news than the last is superseded. */
export function applyCardUpdate(
  db: Database,
  callback: Callback,
  update: CardUpdate,
  nowMs: number,
): "applied" | "superseded" | "repeated" {
  if (!firstReceipt(db, callback, nowMs)) return "repeated";
  const changed = db.run(
    `INSERT INTO cards (card_no, status, status_time) VALUES (:cardNo, :afterStatus, :time)
      ON CONFLICT (card_no) DO UPDATE SET status = excluded.status, status_time = excluded.status_time
      WHERE excluded.status_time >= cards.status_time`,
    { ...update },
  );
  return changed === 1 ? "applied" : "superseded";
}
