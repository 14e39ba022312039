import type { Sql } from "#database/index.ts";
import type { WebhookSecret } from "./webhook-secret.ts";

interface SecretRow {
  secret_id: string;
  created_at: bigint;
  expires_at: bigint | null;
}

/** With those that have expired and are not erased yet; the current one first, then by their end. */
export async function selectWebhookSecrets(sql: Sql, merchantId: number): Promise<WebhookSecret[]> {
  const { rows } = await sql.query<SecretRow>(
    `SELECT secret_id, created_at, expires_at FROM webhook_secret WHERE merchant_id = $1
     ORDER BY expires_at DESC NULLS FIRST, secret_id DESC`,
    [merchantId],
  );
  return rows.map((row) => ({
    secretId: row.secret_id,
    createdAtMs: Number(row.created_at),
    expiresAtMs: row.expires_at === null ? null : Number(row.expires_at),
  }));
}

export async function insertWebhookSecret(
  sql: Sql,
  secret: { readonly merchantId: number; readonly secretId: string; readonly nowMs: number },
): Promise<void> {
  await sql.query("INSERT INTO webhook_secret (merchant_id, secret_id, created_at) VALUES ($1, $2, $3)", [
    secret.merchantId,
    secret.secretId,
    secret.nowMs,
  ]);
}

/** The current one ends at `currentEndsAtMs`, one that is still valid beside it now. */
export async function endWebhookSecrets(
  sql: Sql,
  end: { readonly merchantId: number; readonly nowMs: number; readonly currentEndsAtMs: number },
): Promise<void> {
  await sql.query(
    `UPDATE webhook_secret SET expires_at = CASE WHEN expires_at IS NULL THEN $3::bigint ELSE $2::bigint END
     WHERE merchant_id = $1 AND (expires_at IS NULL OR expires_at > $2)`,
    [end.merchantId, end.nowMs, end.currentEndsAtMs],
  );
}

interface WebhookSecretKey {
  readonly merchantId: number;
  readonly secretId: string;
}

export async function selectExpiredWebhookSecrets(
  sql: Sql,
  { nowMs, limit }: { readonly nowMs: number; readonly limit: number },
): Promise<WebhookSecretKey[]> {
  const { rows } = await sql.query<{ merchant_id: number; secret_id: string }>(
    "SELECT merchant_id, secret_id FROM webhook_secret WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2",
    [nowMs, limit],
  );
  return rows.map((row) => ({ merchantId: row.merchant_id, secretId: row.secret_id }));
}

export async function deleteWebhookSecretRow(sql: Sql, key: WebhookSecretKey): Promise<void> {
  await sql.query("DELETE FROM webhook_secret WHERE merchant_id = $1 AND secret_id = $2 AND expires_at IS NOT NULL", [
    key.merchantId,
    key.secretId,
  ]);
}
