import type { Sql } from "#database/index.ts";

export interface CertificateRow {
  readonly merchantId: number;
  readonly certificateId: string;
  readonly certificatePem: string;
  readonly createdAtMs: number;
}

interface SelectedRow {
  merchant_id: number;
  certificate_id: string;
  certificate_pem: string;
  created_at: bigint;
}

const columns = "merchant_id, certificate_id, certificate_pem, created_at";

function toRow(row: SelectedRow): CertificateRow {
  return {
    merchantId: row.merchant_id,
    certificateId: row.certificate_id,
    certificatePem: row.certificate_pem,
    createdAtMs: Number(row.created_at),
  };
}

export async function selectCertificateInUse(sql: Sql, merchantId: number): Promise<CertificateRow | null> {
  const { rows } = await sql.query<SelectedRow>(
    `SELECT ${columns} FROM client_certificate WHERE merchant_id = $1 AND ended_at IS NULL`,
    [merchantId],
  );
  return rows[0] === undefined ? null : toRow(rows[0]);
}

export async function insertCertificate(sql: Sql, row: CertificateRow & { readonly validToMs: number }): Promise<void> {
  await sql.query(
    `INSERT INTO client_certificate (merchant_id, certificate_id, certificate_pem, valid_to, created_at)
     VALUES ($1, $2, $3, $4, $5)`,
    [row.merchantId, row.certificateId, row.certificatePem, row.validToMs, row.createdAtMs],
  );
}

export async function endCertificateInUse(
  sql: Sql,
  end: { readonly merchantId: number; readonly nowMs: number },
): Promise<void> {
  await sql.query("UPDATE client_certificate SET ended_at = $2 WHERE merchant_id = $1 AND ended_at IS NULL", [
    end.merchantId,
    end.nowMs,
  ]);
}

export async function selectEndedCertificates(sql: Sql, limit: number): Promise<CertificateRow[]> {
  const { rows } = await sql.query<SelectedRow>(
    `SELECT ${columns} FROM client_certificate WHERE ended_at IS NOT NULL ORDER BY ended_at LIMIT $1`,
    [limit],
  );
  return rows.map(toRow);
}

interface CertificateKey {
  readonly merchantId: number;
  readonly certificateId: string;
}

export async function deleteCertificateRow(sql: Sql, key: CertificateKey): Promise<void> {
  await sql.query(
    "DELETE FROM client_certificate WHERE merchant_id = $1 AND certificate_id = $2 AND ended_at IS NOT NULL",
    [key.merchantId, key.certificateId],
  );
}

/** In use, expiring before that moment, and not told yet. */
export async function selectExpiringCertificates(
  sql: Sql,
  { beforeMs, limit }: { readonly beforeMs: number; readonly limit: number },
): Promise<CertificateRow[]> {
  const { rows } = await sql.query<SelectedRow>(
    `SELECT ${columns} FROM client_certificate
     WHERE ended_at IS NULL AND expiry_told_at IS NULL AND valid_to <= $1 ORDER BY valid_to LIMIT $2`,
    [beforeMs, limit],
  );
  return rows.map(toRow);
}

/** True for the one caller that is to tell it. */
export async function markExpiryTold(sql: Sql, key: CertificateKey & { readonly nowMs: number }): Promise<boolean> {
  const { rowCount } = await sql.query(
    `UPDATE client_certificate SET expiry_told_at = $3
     WHERE merchant_id = $1 AND certificate_id = $2 AND ended_at IS NULL AND expiry_told_at IS NULL`,
    [key.merchantId, key.certificateId, key.nowMs],
  );
  return rowCount === 1;
}
