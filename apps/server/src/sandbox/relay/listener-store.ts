import type { Sql } from "#database/index.ts";

/** Who listens: the merchant has one listener at a time. */
export interface ListenerKey {
  readonly merchantId: number;
  /** A UUID. */
  readonly listenId: string;
}

/** Makes or takes over the merchant's row and keeps it locked; answers what stays from the listener before. */
export async function upsertListener(
  tx: Sql,
  listener: ListenerKey & { readonly relaySecret: string; readonly at: number },
): Promise<{ readonly relaySecret: string; readonly previousUrl: string }> {
  const { rows } = await tx.query<{ relay_secret: string; previous_url: string }>(
    `INSERT INTO sandbox_listener (merchant_id, listen_id, relay_secret, previous_url, began_at, streamed_at)
     VALUES ($1, $2, $3, '', $4, $4)
     ON CONFLICT (merchant_id) DO UPDATE
       SET listen_id = EXCLUDED.listen_id, began_at = EXCLUDED.began_at, streamed_at = EXCLUDED.streamed_at
     RETURNING relay_secret, previous_url`,
    [listener.merchantId, listener.listenId, listener.relaySecret, listener.at],
  );
  const [row] = rows;
  if (row === undefined) {
    throw new Error("an upsert answers its row");
  }
  return { relaySecret: row.relay_secret, previousUrl: row.previous_url };
}

export async function updatePreviousUrl(
  tx: Sql,
  { merchantId, previousUrl }: { readonly merchantId: number; readonly previousUrl: string },
): Promise<void> {
  await tx.query("UPDATE sandbox_listener SET previous_url = $2 WHERE merchant_id = $1", [merchantId, previousUrl]);
}

/** Notes that the stream is open; answers the secret of the relay, or null when this listener has ended or was replaced. */
export async function touchListener(sql: Sql, key: ListenerKey & { readonly at: number }): Promise<string | null> {
  const { rows } = await sql.query<{ relay_secret: string }>({
    name: "sandbox_listener_touch",
    text: "UPDATE sandbox_listener SET streamed_at = $3 WHERE merchant_id = $1 AND listen_id = $2 RETURNING relay_secret",
    values: [key.merchantId, key.listenId, key.at],
  });
  return rows[0]?.relay_secret ?? null;
}

/** Answers the URL that goes back, or null when the listener is not there, or was heard of since `silentSince`. */
export async function deleteListener(
  tx: Sql,
  { merchantId, listenId, silentSince }: ListenerKey & { readonly silentSince?: number },
): Promise<string | null> {
  const { rows } = await tx.query<{ previous_url: string }>(
    `DELETE FROM sandbox_listener
     WHERE merchant_id = $1 AND listen_id = $2 AND ($3::bigint IS NULL OR streamed_at < $3) RETURNING previous_url`,
    [merchantId, listenId, silentSince ?? null],
  );
  return rows[0]?.previous_url ?? null;
}

export async function selectSilentListeners(
  sql: Sql,
  { silentSince, limit }: { readonly silentSince: number; readonly limit: number },
): Promise<ListenerKey[]> {
  const { rows } = await sql.query<{ merchant_id: number; listen_id: string }>({
    name: "sandbox_listener_silent",
    text: "SELECT merchant_id, listen_id FROM sandbox_listener WHERE streamed_at < $1 ORDER BY merchant_id LIMIT $2",
    values: [silentSince, limit],
  });
  return rows.map((row) => ({ merchantId: row.merchant_id, listenId: row.listen_id }));
}
