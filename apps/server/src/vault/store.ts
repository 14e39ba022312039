import type { Sql } from "#database/index.ts";
import type { Expiry } from "./cvv.ts";
import type { KeyFamily } from "./keyring.ts";

// All the SQL of the vault. Every call is one statement, so nothing here needs a transaction.
export type { Sql } from "#database/index.ts";

/** Which card: the number that merchants see, never the card number itself. */
export interface CardKey {
  readonly merchantId: number;
  readonly cardNo: string;
}

export interface SecretKey {
  readonly merchantId: number;
  readonly secretId: string;
}

/** Tables of one form, one for each kind of secret. */
export type SecretTable = "api_secret" | "webhook_secret" | "client_key";
type StoredSecret = SecretKey & { table: SecretTable };

export interface DataKeyRow {
  readonly generation: number;
  readonly masterKeyId: string;
  readonly wrappedKey: Buffer;
}

export async function selectDataKeys(sql: Sql, family: KeyFamily): Promise<DataKeyRow[]> {
  const { rows } = await sql.query<DataKeyRow>({
    name: "vault_select_data_keys",
    text: `SELECT generation, master_key_id AS "masterKeyId", wrapped_key AS "wrappedKey"
             FROM vault.data_key WHERE family = $1 ORDER BY generation`,
    values: [family],
  });
  return rows;
}

/** A data key as an operator sees it. Times in Unix ms. */
export interface DataKey {
  readonly family: KeyFamily;
  readonly generation: number;
  /** Which master key wraps it. */
  readonly masterKeyId: string;
  readonly createdAtMs: number;
  readonly wrappedAtMs: number;
}

/** All of them, by family and generation: a handful. */
export async function listDataKeys(sql: Sql): Promise<DataKey[]> {
  const { rows } = await sql.query<
    Omit<DataKey, "createdAtMs" | "wrappedAtMs"> & { created_at: bigint; wrapped_at: bigint }
  >(
    `SELECT family, generation, master_key_id AS "masterKeyId", created_at, wrapped_at
       FROM vault.data_key ORDER BY family, generation`,
  );
  return rows.map(({ created_at: created, wrapped_at: wrapped, ...key }) => ({
    ...key,
    createdAtMs: Number(created),
    wrappedAtMs: Number(wrapped),
  }));
}

/** Of two processes that make the same generation at once one wins; both then read what the winner wrote. */
export async function insertDataKey(sql: Sql, row: DataKeyRow & { family: KeyFamily; nowMs: number }): Promise<void> {
  await sql.query(
    `INSERT INTO vault.data_key (family, generation, master_key_id, wrapped_key, created_at, wrapped_at)
     VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT (family, generation) DO NOTHING`,
    [row.family, row.generation, row.masterKeyId, row.wrappedKey, row.nowMs],
  );
}

/** Returns whether it was this call that wrapped the key again: not when another one was faster. */
export async function rewrapDataKey(
  sql: Sql,
  row: DataKeyRow & { family: KeyFamily; formerMasterKeyId: string; nowMs: number },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE vault.data_key SET master_key_id = $3, wrapped_key = $4, wrapped_at = $5
      WHERE family = $1 AND generation = $2 AND master_key_id = $6`,
    [row.family, row.generation, row.masterKeyId, row.wrappedKey, row.nowMs, row.formerMasterKeyId],
  );
  return rowCount === 1;
}

export interface NewCard extends CardKey {
  readonly fingerprint: Buffer;
  readonly panEnvelope: Buffer;
  readonly bin: string;
  readonly last4: string;
  readonly expiry: Expiry;
  readonly nowMs: number;
}

/** False when the card exists already or the number is taken. */
export async function insertCard(sql: Sql, card: NewCard): Promise<boolean> {
  const { rowCount } = await sql.query({
    name: "vault_insert_card",
    text: `INSERT INTO vault.card
             (merchant_id, card_no, pan_fingerprint, pan_envelope, bin, last4, expiry_year, expiry_month, issued_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    values: [
      card.merchantId,
      card.cardNo,
      card.fingerprint,
      card.panEnvelope,
      card.bin,
      card.last4,
      card.expiry.year,
      card.expiry.month,
      card.nowMs,
    ],
  });
  return rowCount === 1;
}

export interface CardRow {
  /** Null when the card was discarded. */
  readonly panEnvelope: Buffer | null;
  readonly bin: string;
  readonly last4: string;
  readonly expiryYear: number;
  readonly expiryMonth: number;
}

export async function selectCard(sql: Sql, card: CardKey): Promise<CardRow | null> {
  const { rows } = await sql.query<CardRow>({
    name: "vault_select_card",
    text: `SELECT pan_envelope AS "panEnvelope", bin, last4, expiry_year AS "expiryYear", expiry_month AS "expiryMonth"
             FROM vault.card WHERE merchant_id = $1 AND card_no = $2`,
    values: [card.merchantId, card.cardNo],
  });
  return rows[0] ?? null;
}

/** Returns the fingerprint of the card that was discarded by this call, null when there was nothing to discard. */
export async function discardCardRow(sql: Sql, card: CardKey & { nowMs: number }): Promise<Buffer | null> {
  const { rows } = await sql.query<{ fingerprint: Buffer }>(
    `UPDATE vault.card SET pan_envelope = NULL, discarded_at = $3
      WHERE merchant_id = $1 AND card_no = $2 AND discarded_at IS NULL
      RETURNING pan_fingerprint AS fingerprint`,
    [card.merchantId, card.cardNo, card.nowMs],
  );
  return rows[0]?.fingerprint ?? null;
}

export interface FingerprintRow extends CardKey {
  readonly fingerprint: Buffer;
}

/** The cards with these fingerprints that were not discarded, in no order. */
export async function selectCardsByFingerprint(sql: Sql, fingerprints: readonly Buffer[]): Promise<FingerprintRow[]> {
  const { rows } = await sql.query<FingerprintRow>({
    name: "vault_select_cards_by_fingerprint",
    text: `SELECT merchant_id AS "merchantId", card_no AS "cardNo", pan_fingerprint AS fingerprint
             FROM vault.card WHERE pan_fingerprint = ANY ($1::bytea[]) AND discarded_at IS NULL`,
    values: [fingerprints],
  });
  return rows;
}

/** Those of the fingerprints that were ever handed out, discarded ones included. */
export async function selectTakenFingerprints(sql: Sql, fingerprints: readonly Buffer[]): Promise<Buffer[]> {
  const { rows } = await sql.query<{ fingerprint: Buffer }>(
    `SELECT pan_fingerprint AS fingerprint FROM vault.card WHERE pan_fingerprint = ANY ($1::bytea[])`,
    [fingerprints],
  );
  return rows.map((row) => row.fingerprint);
}

/** Sets or replaces the PIN and forgives the wrong tries. False when there is no such card. */
export async function upsertPin(sql: Sql, pin: CardKey & { envelope: Buffer; nowMs: number }): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO vault.card_pin AS p (merchant_id, card_no, envelope, version, wrong_tries, set_at)
     SELECT merchant_id, card_no, $3, 1, 0, $4 FROM vault.card
      WHERE merchant_id = $1 AND card_no = $2 AND discarded_at IS NULL
     ON CONFLICT (merchant_id, card_no) DO UPDATE
       SET envelope = excluded.envelope, version = p.version + 1, wrong_tries = 0, set_at = excluded.set_at`,
    [pin.merchantId, pin.cardNo, pin.envelope, pin.nowMs],
  );
  return rowCount === 1;
}

export interface PinRow {
  readonly envelope: Buffer;
  readonly version: number;
  readonly wrongTries: number;
}

export async function selectPin(sql: Sql, card: CardKey): Promise<PinRow | null> {
  const { rows } = await sql.query<PinRow>({
    name: "vault_select_pin",
    text: `SELECT envelope, version, wrong_tries AS "wrongTries" FROM vault.card_pin
            WHERE merchant_id = $1 AND card_no = $2`,
    values: [card.merchantId, card.cardNo],
  });
  return rows[0] ?? null;
}

/**
 * Counts one try of the PIN in its version: a right one clears the counter, a wrong one adds to it. False when the card
 * had no try left or the PIN was changed meanwhile. The row lock puts racing tries in a line, so of any number of them at
 * most `wrongTriesMax` wrong ones are ever compared, and a right one after those is not accepted.
 */
export async function countPinTry(
  sql: Sql,
  attempt: CardKey & { version: number; isRight: boolean; wrongTriesMax: number },
): Promise<boolean> {
  const { rowCount } = await sql.query({
    name: "vault_count_pin_try",
    text: `UPDATE vault.card_pin SET wrong_tries = CASE WHEN $4 THEN 0 ELSE wrong_tries + 1 END
            WHERE merchant_id = $1 AND card_no = $2 AND version = $3 AND wrong_tries < $5`,
    values: [attempt.merchantId, attempt.cardNo, attempt.version, attempt.isRight, attempt.wrongTriesMax],
  });
  return rowCount === 1;
}

/** False when the id was used before. */
export async function insertSecret(
  sql: Sql,
  secret: StoredSecret & { envelope: Buffer; nowMs: number },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO vault.${secret.table} (merchant_id, secret_id, envelope, stored_at)
     VALUES ($1, $2, $3, $4) ON CONFLICT (merchant_id, secret_id) DO NOTHING`,
    [secret.merchantId, secret.secretId, secret.envelope, secret.nowMs],
  );
  return rowCount === 1;
}

/** Null when there is no such secret or it was deleted. */
export async function selectSecret(sql: Sql, secret: StoredSecret): Promise<Buffer | null> {
  const { rows } = await sql.query<{ envelope: Buffer | null }>({
    name: `vault_select_${secret.table}`,
    text: `SELECT envelope FROM vault.${secret.table} WHERE merchant_id = $1 AND secret_id = $2`,
    values: [secret.merchantId, secret.secretId],
  });
  return rows[0]?.envelope ?? null;
}

export async function eraseSecret(sql: Sql, secret: StoredSecret & { nowMs: number }): Promise<void> {
  await sql.query(
    `UPDATE vault.${secret.table} SET envelope = NULL, deleted_at = $3
      WHERE merchant_id = $1 AND secret_id = $2 AND deleted_at IS NULL`,
    [secret.merchantId, secret.secretId, secret.nowMs],
  );
}
