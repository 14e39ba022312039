import type { CardStatus, CardType } from "@cardwright/contract";
import type { Sql } from "#database/index.ts";
import type { CardAddress } from "./address.ts";
import type { Card, CardKey } from "./card.ts";

interface CardRow {
  merchant_id: number;
  card_no: string;
  card_unique_no: string;
  cardholder_no: string;
  card_bin_no: string;
  bin_terms_version: number;
  package_no: string | null;
  package_terms_version: number | null;
  card_type: CardType;
  organization: string;
  card_name: string;
  card_last_no: string;
  expiry_year: number;
  expiry_month: number;
  status: CardStatus;
  created_at: bigint;
}

const columns = `merchant_id, card_no, card_unique_no, cardholder_no, card_bin_no, bin_terms_version, package_no, package_terms_version,
  card_type, organization, card_name, card_last_no, expiry_year, expiry_month, status, created_at`;

function toCard(row: CardRow): Card {
  return {
    merchantId: row.merchant_id,
    cardNo: row.card_no,
    cardUniqueNo: row.card_unique_no,
    cardholderNo: row.cardholder_no,
    cardBinNo: row.card_bin_no,
    binTermsVersion: row.bin_terms_version,
    packageNo: row.package_no,
    packageTermsVersion: row.package_terms_version,
    cardType: row.card_type,
    organization: row.organization,
    cardName: row.card_name,
    lastFour: row.card_last_no,
    expiry: { year: row.expiry_year, month: row.expiry_month },
    status: row.status,
    createdAt: Number(row.created_at),
  };
}

export interface NewCard extends Card {
  readonly contentHash: Buffer;
  readonly creditAccountId: string | null;
  readonly utcOffsetMinutes: number;
}

/** False when the merchant has used the unique number already; a racing insert of the same number is waited for. */
export async function insertCard(sql: Sql, card: NewCard): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO card (merchant_id, card_no, card_unique_no, content_hash, cardholder_no, card_bin_no, bin_terms_version, package_no,
       package_terms_version, card_type, organization, card_name, card_last_no, expiry_year, expiry_month, credit_account_id, status,
       utc_offset_minutes, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
     ON CONFLICT (merchant_id, card_unique_no) DO NOTHING`,
    [
      card.merchantId,
      card.cardNo,
      card.cardUniqueNo,
      card.contentHash,
      card.cardholderNo,
      card.cardBinNo,
      card.binTermsVersion,
      card.packageNo,
      card.packageTermsVersion,
      card.cardType,
      card.organization,
      card.cardName,
      card.lastFour,
      card.expiry.year,
      card.expiry.month,
      card.creditAccountId,
      card.status,
      card.utcOffsetMinutes,
      card.createdAt,
    ],
  );
  return rowCount === 1;
}

export async function insertAddress(sql: Sql, entry: CardKey & { readonly address: CardAddress }): Promise<void> {
  const { address } = entry;
  await sql.query(
    `INSERT INTO card_address (merchant_id, card_no, first_name, last_name, phone_code, phone, postal_code, country, state, city,
       address_line1, address_line2)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      entry.merchantId,
      entry.cardNo,
      address.firstName,
      address.lastName,
      address.phoneCode,
      address.phone,
      address.postalCode,
      address.country,
      address.state,
      address.city,
      address.addressLine1,
      address.addressLine2,
    ],
  );
}

export async function selectByUniqueNo(
  sql: Sql,
  key: { readonly merchantId: number; readonly cardUniqueNo: string },
): Promise<{ readonly cardNo: string; readonly contentHash: Buffer } | null> {
  const { rows } = await sql.query<{ card_no: string; content_hash: Buffer }>({
    name: "card_by_unique_no",
    text: "SELECT card_no, content_hash FROM card WHERE merchant_id = $1 AND card_unique_no = $2",
    values: [key.merchantId, key.cardUniqueNo],
  });
  const row = rows[0];
  return row === undefined ? null : { cardNo: row.card_no, contentHash: row.content_hash };
}

/** Cards of this product that the cardholder has; failed and deleted ones count no more. */
export async function countCards(
  sql: Sql,
  filter: {
    readonly merchantId: number;
    readonly cardholderNo: string;
    readonly cardBinNo: string;
    readonly packageNo: string | null;
  },
): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*)::integer AS count FROM card
     WHERE merchant_id = $1 AND cardholder_no = $2 AND card_bin_no = $3 AND package_no IS NOT DISTINCT FROM $4 AND status NOT IN ('Fail', 'Delete')`,
    [filter.merchantId, filter.cardholderNo, filter.cardBinNo, filter.packageNo],
  );
  return rows[0]?.count ?? 0;
}

/** Holds the cardholder's row, so that two applications count their cards one after the other; tells whether it is approved. */
export async function lockCardholder(
  sql: Sql,
  key: { readonly merchantId: number; readonly cardholderNo: string },
): Promise<boolean> {
  const { rows } = await sql.query<{ status: string }>(
    "SELECT status FROM cardholder WHERE merchant_id = $1 AND cardholder_no = $2 FOR NO KEY UPDATE",
    [key.merchantId, key.cardholderNo],
  );
  return rows[0]?.status === "Approved";
}

export async function selectCard(sql: Sql, key: CardKey): Promise<Card | null> {
  const { rows } = await sql.query<CardRow>({
    name: "card_one",
    text: `SELECT ${columns} FROM card WHERE merchant_id = $1 AND card_no = $2`,
    values: [key.merchantId, key.cardNo],
  });
  const row = rows[0];
  return row === undefined ? null : toCard(row);
}

export interface LockedCard extends Card {
  readonly activationFailures: number;
  readonly activationLockedUntil: number;
}

export async function lockCard(sql: Sql, key: CardKey): Promise<LockedCard | null> {
  const { rows } = await sql.query<CardRow & { activation_failures: number; activation_locked_until: bigint }>(
    `SELECT ${columns}, activation_failures, activation_locked_until FROM card WHERE merchant_id = $1 AND card_no = $2 FOR NO KEY UPDATE`,
    [key.merchantId, key.cardNo],
  );
  const row = rows[0];
  return row === undefined
    ? null
    : {
        ...toCard(row),
        activationFailures: row.activation_failures,
        activationLockedUntil: Number(row.activation_locked_until),
      };
}

export async function updateStatus(sql: Sql, change: CardKey & { readonly status: CardStatus }): Promise<void> {
  await sql.query("UPDATE card SET status = $3 WHERE merchant_id = $1 AND card_no = $2", [
    change.merchantId,
    change.cardNo,
    change.status,
  ]);
}

export async function updateActivationFailures(
  sql: Sql,
  change: CardKey & { readonly failures: number; readonly lockedUntil: number },
): Promise<void> {
  await sql.query(
    "UPDATE card SET activation_failures = $3, activation_locked_until = $4 WHERE merchant_id = $1 AND card_no = $2",
    [change.merchantId, change.cardNo, change.failures, change.lockedUntil],
  );
}

/** The rows that the management fees of a card are found by; none for a card without such fees. */
export async function scheduleManagement(sql: Sql, card: CardKey & { readonly at: number }): Promise<void> {
  await sql.query("SELECT schedule_management($1, $2, $3)", [card.merchantId, card.cardNo, card.at]);
}

export async function enqueueCallback(
  sql: Sql,
  push: CardKey & {
    readonly callbackId: string;
    readonly action: "Consumption" | "Card_update";
    /** The consumption that it is about; empty for a Card_update. */
    readonly consumeNo: string;
    readonly data: string;
    readonly at: number;
  },
): Promise<void> {
  const { merchantId, cardNo, callbackId, action, data, consumeNo, at } = push;
  await sql.query("SELECT enqueue_callback($1, $2, $3, $4, $5, $6, $7)", [
    merchantId,
    cardNo,
    callbackId,
    action,
    data,
    consumeNo,
    at,
  ]);
}

export interface CardFilter {
  readonly merchantId: number;
  readonly cardholderNo: string | null;
  readonly cardUniqueNo: string | null;
  readonly cardNo: string | null;
  readonly fromNumber: string;
  readonly beforeNumber: string;
  readonly offset: number;
  readonly limit: number;
}

/** Newest first by a walk down the key: the number sorts by time, so period and order are one range of it. */
export async function selectCards(sql: Sql, filter: CardFilter): Promise<Card[]> {
  const conditions = ["merchant_id = $1", "card_no >= $2", "card_no < $3"];
  const values: unknown[] = [filter.merchantId, filter.fromNumber, filter.beforeNumber];
  for (const [column, value] of [
    ["cardholder_no", filter.cardholderNo],
    ["card_unique_no", filter.cardUniqueNo],
    ["card_no", filter.cardNo],
  ] as const) {
    if (value !== null) {
      values.push(value);
      conditions.push(`${column} = $${values.length}`);
    }
  }
  values.push(filter.limit, filter.offset);
  const { rows } = await sql.query<CardRow>(
    `SELECT ${columns} FROM card
     JOIN (
       SELECT merchant_id, card_no FROM card WHERE ${conditions.join(" AND ")}
       ORDER BY card_no DESC LIMIT $${values.length - 1} OFFSET $${values.length}
     ) page USING (merchant_id, card_no)
     ORDER BY card_no DESC`,
    values,
  );
  return rows.map(toCard);
}

export async function selectCardsOfCardholder(
  sql: Sql,
  filter: { readonly merchantId: number; readonly cardholderNo: string; readonly limit: number },
): Promise<Card[]> {
  const { rows } = await sql.query<CardRow>(
    `SELECT ${columns} FROM card WHERE merchant_id = $1 AND cardholder_no = $2 AND status NOT IN ('Pending', 'Fail')
     ORDER BY card_no DESC LIMIT $3`,
    [filter.merchantId, filter.cardholderNo, filter.limit],
  );
  return rows.map(toCard);
}

export interface CardBeingMade extends CardKey {
  readonly cardName: string;
  readonly address: CardAddress;
  /** Unix ms. */
  readonly createdAt: number;
}

/** Physical cards that the maker has not finished, the oldest first, from the one after `after` on. */
export async function selectBeingMade(
  sql: Sql,
  options: { readonly after: CardBeingMade | null; readonly limit: number },
): Promise<CardBeingMade[]> {
  const { rows } = await sql.query<
    { merchantId: number; cardNo: string; cardName: string; createdAt: bigint } & CardAddress
  >(
    `SELECT k.merchant_id AS "merchantId", k.card_no AS "cardNo", k.card_name AS "cardName", k.created_at AS "createdAt", a.first_name AS "firstName",
       a.last_name AS "lastName", a.phone_code AS "phoneCode", a.phone, a.postal_code AS "postalCode", a.country, a.state, a.city,
       a.address_line1 AS "addressLine1", a.address_line2 AS "addressLine2"
     FROM card k JOIN card_address a USING (merchant_id, card_no)
     WHERE k.status = 'Pending' AND (k.created_at, k.card_no) > ($1, $2) ORDER BY k.created_at, k.card_no LIMIT $3`,
    [options.after?.createdAt ?? 0, options.after?.cardNo ?? "", options.limit],
  );
  return rows.map(({ merchantId, cardNo, cardName, createdAt, ...address }) => ({
    merchantId,
    cardNo,
    cardName,
    createdAt: Number(createdAt),
    address,
  }));
}

export async function insertClientToken(
  sql: Sql,
  token: CardKey & { readonly hash: Buffer; readonly expiresAt: number },
): Promise<void> {
  await sql.query("INSERT INTO client_token (merchant_id, card_no, token_hash, expires_at) VALUES ($1, $2, $3, $4)", [
    token.merchantId,
    token.cardNo,
    token.hash,
    token.expiresAt,
  ]);
}

/** Takes a token away; of two that race for it one gets the card. */
export async function takeClientToken(
  sql: Sql,
  token: { readonly hash: Buffer; readonly now: number },
): Promise<CardKey | null> {
  const { rows } = await sql.query<{ merchantId: number; cardNo: string; expires_at: bigint }>(
    `DELETE FROM client_token WHERE token_hash = $1 RETURNING merchant_id AS "merchantId", card_no AS "cardNo", expires_at`,
    [token.hash],
  );
  const row = rows[0];
  return row === undefined || Number(row.expires_at) <= token.now
    ? null
    : { merchantId: row.merchantId, cardNo: row.cardNo };
}

export async function deleteOldClientTokens(
  sql: Sql,
  options: { readonly now: number; readonly limit: number },
): Promise<number> {
  const { rowCount } = await sql.query(
    `DELETE FROM client_token WHERE token_hash IN (SELECT token_hash FROM client_token WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)`,
    [options.now, options.limit],
  );
  return rowCount ?? 0;
}
