import type { Sql } from "#database/index.ts";

/** Something that the merchant's operator should know; `detail` never holds a text that came from outside. */
export interface NewMerchantEvent {
  readonly merchantId: number;
  /** A UUID version 7 made from the clock that also gives `at`. */
  readonly eventId: string;
  readonly kind: string;
  readonly detail: Readonly<Record<string, string | number>>;
  /** Unix ms of business time. */
  readonly at: number;
}

export async function insertEvent(sql: Sql, event: NewMerchantEvent): Promise<void> {
  await sql.query("INSERT INTO merchant_event (merchant_id, event_id, kind, detail, at) VALUES ($1, $2, $3, $4, $5)", [
    event.merchantId,
    event.eventId,
    event.kind,
    JSON.stringify(event.detail),
    event.at,
  ]);
}
