import type { Sql } from "#database/index.ts";

/** Facts with their units in the names. */
export type EventDetail = Readonly<Record<string, string | number>>;

/** Something about a merchant's server that its operator should know. */
export interface MerchantEvent {
  readonly eventId: string;
  /** `circuit_opened`, `circuit_closed`, `callbacks_paused`, `callbacks_resumed`; other rooms write kinds of their own. */
  readonly kind: string;
  readonly detail: EventDetail;
  /** Unix ms of business time. */
  readonly atMs: number;
}

export interface EventRow extends MerchantEvent {
  readonly merchantId: number;
}

export interface EventPage {
  readonly merchantId: number;
  /** From zero. */
  readonly page: number;
  readonly size: number;
}

export async function insertEvents(sql: Sql, rows: readonly EventRow[]): Promise<null[]> {
  await sql.query(
    `INSERT INTO merchant_event (merchant_id, event_id, kind, detail, at)
     SELECT * FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::jsonb[], $5::bigint[])
     ON CONFLICT (merchant_id, event_id) DO NOTHING`,
    [
      rows.map((row) => row.merchantId),
      rows.map((row) => row.eventId),
      rows.map((row) => row.kind),
      rows.map((row) => JSON.stringify(row.detail)),
      rows.map((row) => row.atMs),
    ],
  );
  return rows.map(() => null);
}

/** Newest first. */
export async function selectEvents(sql: Sql, { merchantId, page, size }: EventPage): Promise<MerchantEvent[]> {
  const { rows } = await sql.query<{ event_id: string; kind: string; detail: EventDetail; at: bigint }>(
    `SELECT event_id, kind, detail, at FROM merchant_event
     WHERE merchant_id = $1 ORDER BY event_id DESC LIMIT $2 OFFSET $3`,
    [merchantId, size, page * size],
  );
  return rows.map((row) => ({ eventId: row.event_id, kind: row.kind, detail: row.detail, atMs: Number(row.at) }));
}

/** Returns how many; two processes that do it at once do not wait for each other. */
export async function deleteEventsBefore(
  sql: Sql,
  { beforeMs, limit }: { readonly beforeMs: number; readonly limit: number },
): Promise<number> {
  const { rowCount } = await sql.query(
    `WITH old AS MATERIALIZED (
       SELECT merchant_id, event_id FROM merchant_event WHERE at < $1 ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
     )
     DELETE FROM merchant_event e USING old o WHERE e.merchant_id = o.merchant_id AND e.event_id = o.event_id`,
    [beforeMs, limit],
  );
  return rowCount ?? 0;
}
