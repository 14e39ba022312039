import type { MerchantMode } from "@cardwright/contract";
import { formatRate, parseRate } from "@cardwright/money";
import type { Sql } from "#database/index.ts";
import { callbackSecrets as bounds } from "../limits.ts";
import type { CallbackTarget, Caller, Credential, CredentialStatus } from "./credential.ts";
import type { CreditPolicy, FailurePolicy, Merchant, MerchantStatus, ShortfallPolicy } from "./merchant.ts";
import type { NewRecharge, RechargeCurrency, RechargeFilter, RechargeOrder, RechargeStatus } from "./recharge.ts";

interface MerchantRow {
  merchant_id: number;
  merchant_no: string;
  name: string;
  mode: MerchantMode;
  status: MerchantStatus;
  app_id: string;
  callback_url: string;
  pci_enabled: boolean;
  card_frame_origins: string[];
  utc_offset_minutes: number;
  failure_policy: FailurePolicy["kind"];
  stand_in_purchase_max: bigint;
  stand_in_card_day_max: bigint;
  stand_in_day_max: bigint;
  shortfall_policy: ShortfallPolicy;
  credit_policy: CreditPolicy["kind"];
  credit_ratio: string;
  created_at: bigint;
}

const merchantColumns = `merchant_id, merchant_no, name, mode, status, app_id, callback_url, pci_enabled, card_frame_origins,
  utc_offset_minutes, failure_policy, stand_in_purchase_max, stand_in_card_day_max, stand_in_day_max, credit_policy, credit_ratio,
  shortfall_policy, created_at`;

function toMerchant(row: MerchantRow): Merchant {
  return {
    merchantId: row.merchant_id,
    merchantNo: row.merchant_no,
    name: row.name,
    mode: row.mode,
    status: row.status,
    appId: row.app_id,
    callbackUrl: row.callback_url,
    pciEnabled: row.pci_enabled,
    cardFrameOrigins: row.card_frame_origins,
    utcOffsetMinutes: row.utc_offset_minutes,
    failurePolicy: {
      kind: row.failure_policy,
      purchaseMax: row.stand_in_purchase_max,
      cardDayMax: row.stand_in_card_day_max,
      dayMax: row.stand_in_day_max,
    },
    shortfallPolicy: row.shortfall_policy,
    creditPolicy: toCreditPolicy(row),
    createdAt: Number(row.created_at),
  };
}

function toCreditPolicy({ credit_policy: kind, credit_ratio: text }: MerchantRow): CreditPolicy {
  if (kind !== "ratio") return { kind };
  const ratio = parseRate(text);
  if (!ratio.ok) throw new Error("merchants: a stored credit ratio cannot be read");
  return { kind, ratio: ratio.value };
}

export async function insertMerchant(sql: Sql, merchant: Omit<Merchant, "merchantId">): Promise<Merchant> {
  const { rows } = await sql.query<MerchantRow>(
    `INSERT INTO merchant (merchant_no, name, mode, status, app_id, callback_url, pci_enabled, card_frame_origins,
       utc_offset_minutes, created_at, failure_policy, stand_in_purchase_max, stand_in_card_day_max, stand_in_day_max, credit_policy, credit_ratio,
       shortfall_policy)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING ${merchantColumns}`,
    [
      merchant.merchantNo,
      merchant.name,
      merchant.mode,
      merchant.status,
      merchant.appId,
      merchant.callbackUrl,
      merchant.pciEnabled,
      merchant.cardFrameOrigins,
      merchant.utcOffsetMinutes,
      merchant.createdAt,
      ...policyValues(merchant),
      merchant.shortfallPolicy,
    ],
  );
  const row = rows[0];
  if (row === undefined) throw new Error("merchants: an insert answered nothing");
  return toMerchant(row);
}

export async function updateMerchantRow(sql: Sql, merchant: Merchant): Promise<void> {
  await sql.query(
    `UPDATE merchant SET name = $2, status = $3, callback_url = $4, pci_enabled = $5, card_frame_origins = $6,
       utc_offset_minutes = $7, failure_policy = $8, stand_in_purchase_max = $9, stand_in_card_day_max = $10,
       stand_in_day_max = $11, credit_policy = $12, credit_ratio = $13, shortfall_policy = $14
     WHERE merchant_id = $1`,
    [
      merchant.merchantId,
      merchant.name,
      merchant.status,
      merchant.callbackUrl,
      merchant.pciEnabled,
      merchant.cardFrameOrigins,
      merchant.utcOffsetMinutes,
      ...policyValues(merchant),
      merchant.shortfallPolicy,
    ],
  );
}

function policyValues({ failurePolicy, creditPolicy }: Pick<Merchant, "failurePolicy" | "creditPolicy">) {
  const { kind, purchaseMax, cardDayMax, dayMax } = failurePolicy;
  const ratio = creditPolicy.kind === "ratio" ? formatRate(creditPolicy.ratio) : "";
  return [kind, purchaseMax, cardDayMax, dayMax, creditPolicy.kind, ratio];
}

export async function selectMerchant(sql: Sql, merchantId: number): Promise<Merchant | null> {
  const { rows } = await sql.query<MerchantRow>({
    name: "merchants_by_id",
    text: `SELECT ${merchantColumns} FROM merchant WHERE merchant_id = $1`,
    values: [merchantId],
  });
  return rows[0] === undefined ? null : toMerchant(rows[0]);
}

/** NO KEY: rows that refer to the merchant may be written meanwhile. Everything that changes a merchant's credentials takes it. */
export async function lockMerchant(sql: Sql, merchantId: number): Promise<Merchant | null> {
  const { rows } = await sql.query<MerchantRow>(
    `SELECT ${merchantColumns} FROM merchant WHERE merchant_id = $1 FOR NO KEY UPDATE`,
    [merchantId],
  );
  return rows[0] === undefined ? null : toMerchant(rows[0]);
}

export async function selectMerchantByNo(sql: Sql, merchantNo: string): Promise<Merchant | null> {
  const { rows } = await sql.query<MerchantRow>(`SELECT ${merchantColumns} FROM merchant WHERE merchant_no = $1`, [
    merchantNo,
  ]);
  return rows[0] === undefined ? null : toMerchant(rows[0]);
}

export async function selectMerchants(sql: Sql, page: { page: number; size: number }): Promise<Merchant[]> {
  const { rows } = await sql.query<MerchantRow>(
    `SELECT ${merchantColumns} FROM merchant ORDER BY merchant_id DESC LIMIT $1 OFFSET $2`,
    [page.size, page.page * page.size],
  );
  return rows.map(toMerchant);
}

interface NumberRow {
  merchant_id: number;
  merchant_no: string;
}

export async function selectIdsOf(sql: Sql, merchantNos: readonly string[]): Promise<Map<string, number>> {
  const { rows } = await sql.query<NumberRow>(
    "SELECT merchant_id, merchant_no FROM merchant WHERE merchant_no = ANY ($1)",
    [merchantNos],
  );
  return new Map(rows.map((row) => [row.merchant_no, row.merchant_id]));
}

export async function selectNumbersOf(sql: Sql, merchantIds: readonly number[]): Promise<Map<number, string>> {
  const { rows } = await sql.query<NumberRow>(
    "SELECT merchant_id, merchant_no FROM merchant WHERE merchant_id = ANY ($1)",
    [merchantIds],
  );
  return new Map(rows.map((row) => [row.merchant_id, row.merchant_no]));
}

interface CredentialRow {
  merchant_id: number;
  credential_id: string;
  label: string;
  api_key_hint: string;
  credential_status: CredentialStatus;
  is_primary: boolean;
  generation: number;
  allow_list: string[];
  expires_at: bigint | null;
  credential_created_at: bigint;
}

const credentialColumns = `c.merchant_id, c.credential_id, c.label, c.api_key_hint, c.status AS credential_status, c.is_primary,
  c.generation, c.allow_list, c.expires_at, c.created_at AS credential_created_at`;

function toCredential(row: CredentialRow): Credential {
  return {
    merchantId: row.merchant_id,
    credentialId: row.credential_id,
    label: row.label,
    apiKeyHint: row.api_key_hint,
    status: row.credential_status,
    isPrimary: row.is_primary,
    generation: row.generation,
    allowList: row.allow_list,
    expiresAt: row.expires_at === null ? null : Number(row.expires_at),
    createdAt: Number(row.credential_created_at),
  };
}

/** A deleted credential is not found: its key is answered as one that never was. */
export async function selectCaller(sql: Sql, apiKeyHash: Buffer): Promise<Caller | null> {
  const { rows } = await sql.query<CredentialRow & MerchantRow>({
    name: "merchants_authenticate",
    text: `SELECT ${credentialColumns}, m.merchant_no, m.name, m.mode, m.status, m.app_id, m.callback_url, m.pci_enabled,
             m.card_frame_origins, m.utc_offset_minutes, m.failure_policy, m.stand_in_purchase_max, m.stand_in_card_day_max,
             m.stand_in_day_max, m.credit_policy, m.credit_ratio, m.shortfall_policy, m.created_at
           FROM credential c JOIN merchant m USING (merchant_id)
           WHERE c.api_key_hash = $1 AND c.status <> 'Deleted'`,
    values: [apiKeyHash],
  });
  const row = rows[0];
  return row === undefined ? null : { merchant: toMerchant(row), credential: toCredential(row) };
}

export async function insertCredential(sql: Sql, credential: Credential & { apiKeyHash: Buffer }): Promise<void> {
  await sql.query(
    `INSERT INTO credential (merchant_id, credential_id, label, api_key_hash, api_key_hint, status, is_primary, generation,
       allow_list, expires_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
    [
      credential.merchantId,
      credential.credentialId,
      credential.label,
      credential.apiKeyHash,
      credential.apiKeyHint,
      credential.status,
      credential.isPrimary,
      credential.generation,
      credential.allowList,
      credential.expiresAt,
      credential.createdAt,
    ],
  );
}

export async function updateCredentialRow(sql: Sql, credential: Credential): Promise<void> {
  await sql.query(
    `UPDATE credential SET label = $3, status = $4, is_primary = $5, generation = $6, allow_list = $7, expires_at = $8
     WHERE merchant_id = $1 AND credential_id = $2`,
    [
      credential.merchantId,
      credential.credentialId,
      credential.label,
      credential.status,
      credential.isPrimary,
      credential.generation,
      credential.allowList,
      credential.expiresAt,
    ],
  );
}

export async function clearPrimary(sql: Sql, merchantId: number): Promise<void> {
  await sql.query("UPDATE credential SET is_primary = false WHERE merchant_id = $1 AND is_primary", [merchantId]);
}

/** Also a deleted one. */
export async function selectCredential(
  sql: Sql,
  key: { merchantId: number; credentialId: string },
): Promise<Credential | null> {
  const { rows } = await sql.query<CredentialRow>(
    `SELECT ${credentialColumns} FROM credential c WHERE c.merchant_id = $1 AND c.credential_id = $2`,
    [key.merchantId, key.credentialId],
  );
  return rows[0] === undefined ? null : toCredential(rows[0]);
}

/** Without the deleted ones, so at most as many as a merchant may have; oldest first. */
export async function selectCredentials(sql: Sql, merchantId: number): Promise<Credential[]> {
  const { rows } = await sql.query<CredentialRow>(
    `SELECT ${credentialColumns} FROM credential c WHERE c.merchant_id = $1 AND c.status <> 'Deleted' ORDER BY c.credential_id`,
    [merchantId],
  );
  return rows.map(toCredential);
}

export async function selectCallbackTarget(
  sql: Sql,
  { merchantId, nowMs }: { readonly merchantId: number; readonly nowMs: number },
): Promise<CallbackTarget | null> {
  const { rows } = await sql.query<{
    callback_url: string;
    app_id: string;
    credential_id: string;
    webhook_secret_ids: string[];
    certificate_id: string | null;
    certificate_pem: string | null;
  }>({
    name: "merchants_callback_target",
    text: `SELECT m.callback_url, m.app_id, c.credential_id, t.certificate_id, t.certificate_pem,
             ARRAY (SELECT s.secret_id FROM webhook_secret s
                    WHERE s.merchant_id = m.merchant_id AND (s.expires_at IS NULL OR s.expires_at > $2)
                    ORDER BY s.expires_at DESC NULLS FIRST LIMIT $3) AS webhook_secret_ids
           FROM merchant m
           JOIN credential c ON c.merchant_id = m.merchant_id AND c.is_primary
           LEFT JOIN client_certificate t ON t.merchant_id = m.merchant_id AND t.ended_at IS NULL
           WHERE m.merchant_id = $1 AND m.callback_url <> ''`,
    values: [merchantId, nowMs, bounds.validWebhookSecretsMax],
  });
  const [row] = rows;
  if (row === undefined) return null;
  const { certificate_id: certificateId, certificate_pem: certificatePem } = row;
  return {
    url: row.callback_url,
    appId: row.app_id,
    primaryCredentialId: row.credential_id,
    webhookSecretIds: row.webhook_secret_ids,
    clientCertificate: certificateId === null || certificatePem === null ? null : { certificateId, certificatePem },
  };
}

interface RechargeRow {
  merchant_id: number;
  merchant_no: string;
  recharge_no: string;
  amount: bigint;
  currency: RechargeCurrency;
  reference: string;
  status: RechargeStatus;
  created_at: bigint;
  decided_at: bigint | null;
}

const selectRecharge = `SELECT r.merchant_id, m.merchant_no, r.recharge_no, r.amount, r.currency, r.reference, r.status,
    r.created_at, r.decided_at
  FROM recharge_order r JOIN merchant m USING (merchant_id)`;

function toRecharge(row: RechargeRow): RechargeOrder {
  return {
    merchantId: row.merchant_id,
    merchantNo: row.merchant_no,
    rechargeNo: row.recharge_no,
    amount: row.amount,
    currency: row.currency,
    reference: row.reference,
    status: row.status,
    createdAt: Number(row.created_at),
    decidedAt: row.decided_at === null ? null : Number(row.decided_at),
  };
}

/** False when the merchant has used the reference before; waits for a transaction that is just using it. */
export async function insertRecharge(
  sql: Sql,
  recharge: NewRecharge & { rechargeNo: string; createdAt: number },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `INSERT INTO recharge_order (merchant_id, recharge_no, amount, currency, reference, created_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (merchant_id, reference) DO NOTHING`,
    [
      recharge.merchantId,
      recharge.rechargeNo,
      recharge.amount,
      recharge.currency,
      recharge.reference,
      recharge.createdAt,
    ],
  );
  return rowCount === 1;
}

export async function selectRechargeByReference(
  sql: Sql,
  key: { merchantId: number; reference: string },
): Promise<RechargeOrder | null> {
  const { rows } = await sql.query<RechargeRow>(`${selectRecharge} WHERE r.merchant_id = $1 AND r.reference = $2`, [
    key.merchantId,
    key.reference,
  ]);
  return rows[0] === undefined ? null : toRecharge(rows[0]);
}

export async function selectRechargeByNo(sql: Sql, rechargeNo: string): Promise<RechargeOrder | null> {
  const { rows } = await sql.query<RechargeRow>(`${selectRecharge} WHERE r.recharge_no = $1`, [rechargeNo]);
  return rows[0] === undefined ? null : toRecharge(rows[0]);
}

/** Newest first: the numbers sort by time. */
export async function selectRecharges(sql: Sql, filter: RechargeFilter): Promise<RechargeOrder[]> {
  const { rows } = await sql.query<RechargeRow>(
    `${selectRecharge}
     WHERE ($1::integer IS NULL OR r.merchant_id = $1) AND ($2::text IS NULL OR r.status = $2)
     ORDER BY r.recharge_no DESC LIMIT $3 OFFSET $4`,
    [filter.merchantId ?? null, filter.status ?? null, filter.size, filter.page * filter.size],
  );
  return rows.map(toRecharge);
}

/** True for the one caller that decided; everybody else finds the order decided. */
export async function decideRecharge(
  sql: Sql,
  decision: { merchantId: number; rechargeNo: string; status: "Confirmed" | "Rejected"; decidedAt: number },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE recharge_order SET status = $3, decided_at = $4
     WHERE merchant_id = $1 AND recharge_no = $2 AND status = 'Pending'`,
    [decision.merchantId, decision.rechargeNo, decision.status, decision.decidedAt],
  );
  return rowCount === 1;
}
