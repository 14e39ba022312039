import type { Sql } from "#database/index.ts";
import { uuid7 } from "#kernel/index.ts";
import type { Cardholder, CardholderStatus } from "./cardholder.ts";

// --- Applications -----------------------------------------------------------------------------------------------------

export interface ImportClaim {
  readonly claimId: string;
  readonly shareTokenHash: Buffer;
}

/**
 * Reserves a number for one import, or answers whose reservation stands. A reservation whose lease is over is taken over in
 * the same statement. `DO UPDATE` rather than `DO NOTHING`, because it waits for and locks the other's row.
 */
export async function claimImport(
  tx: Sql,
  input: ImportClaim & { merchantId: number; cardholderUniqueNo: string; leaseUntil: number; now: number },
): Promise<ImportClaim> {
  const { merchantId, cardholderUniqueNo, claimId, shareTokenHash, leaseUntil, now } = input;
  await tx.query(
    `INSERT INTO cardholder_import AS running (merchant_id, cardholder_unique_no, claim_id, share_token_hash, lease_until)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (merchant_id, cardholder_unique_no) DO UPDATE
       SET claim_id = excluded.claim_id, share_token_hash = excluded.share_token_hash, lease_until = excluded.lease_until
       WHERE running.lease_until <= $6`,
    [merchantId, cardholderUniqueNo, claimId, shareTokenHash, leaseUntil, now],
  );
  const { rows } = await tx.query<{ claim_id: string; share_token_hash: Buffer }>(
    "SELECT claim_id, share_token_hash FROM cardholder_import WHERE merchant_id = $1 AND cardholder_unique_no = $2",
    [merchantId, cardholderUniqueNo],
  );
  const [row] = rows;
  if (row === undefined) throw new Error("a reservation vanished under its lock");
  return { claimId: row.claim_id, shareTokenHash: row.share_token_hash };
}

/** False when the reservation is not this one any more. */
export async function releaseImport(
  sql: Sql,
  { merchantId, cardholderUniqueNo, claimId }: { merchantId: number; cardholderUniqueNo: string; claimId: string },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    "DELETE FROM cardholder_import WHERE merchant_id = $1 AND cardholder_unique_no = $2 AND claim_id = $3",
    [merchantId, cardholderUniqueNo, claimId],
  );
  return rowCount === 1;
}

export async function isImportRunning(
  sql: Sql,
  { merchantId, cardholderUniqueNo, claimId }: { merchantId: number; cardholderUniqueNo: string; claimId: string },
): Promise<boolean> {
  const { rowCount } = await sql.query(
    "SELECT FROM cardholder_import WHERE merchant_id = $1 AND cardholder_unique_no = $2 AND claim_id = $3",
    [merchantId, cardholderUniqueNo, claimId],
  );
  return rowCount === 1;
}

export async function removeAbandonedImports(sql: Sql, { now, limit }: { now: number; limit: number }): Promise<void> {
  await sql.query(
    `WITH abandoned AS MATERIALIZED (
       SELECT merchant_id, cardholder_unique_no FROM cardholder_import
       WHERE lease_until <= $1 ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED)
     DELETE FROM cardholder_import USING abandoned
     WHERE cardholder_import.merchant_id = abandoned.merchant_id
       AND cardholder_import.cardholder_unique_no = abandoned.cardholder_unique_no`,
    [now, limit],
  );
}

export interface AppliedCardholder {
  readonly cardholderNo: string;
  readonly cardholderUniqueNo: string;
  readonly status: CardholderStatus;
  /** Whether an application with this share token was accepted, now or earlier. */
  readonly tokenWasAccepted: boolean;
}

/** The cardholder an application means: by its number when that is given, else by the merchant's own number. */
export async function findApplied(
  sql: Sql,
  input: {
    merchantId: number;
    cardholderNo?: string | undefined;
    cardholderUniqueNo: string;
    shareTokenHash: Buffer;
  },
): Promise<AppliedCardholder | null> {
  const { merchantId, cardholderNo, cardholderUniqueNo, shareTokenHash } = input;
  const { rows } = await sql.query<{
    cardholder_no: string;
    cardholder_unique_no: string;
    status: CardholderStatus;
    token_was_accepted: boolean;
  }>(
    `SELECT cardholder_no, cardholder_unique_no, status,
            EXISTS (SELECT FROM cardholder_attempt
                    WHERE cardholder_attempt.merchant_id = cardholder.merchant_id
                      AND cardholder_attempt.cardholder_no = cardholder.cardholder_no
                      AND share_token_hash = $3) AS token_was_accepted
     FROM cardholder
     WHERE merchant_id = $1 AND ${cardholderNo === undefined ? "cardholder_unique_no" : "cardholder_no"} = $2`,
    [merchantId, cardholderNo ?? cardholderUniqueNo, shareTokenHash],
  );
  const [row] = rows;
  if (row === undefined) return null;
  return {
    cardholderNo: row.cardholder_no,
    cardholderUniqueNo: row.cardholder_unique_no,
    status: row.status,
    tokenWasAccepted: row.token_was_accepted,
  };
}

interface ImportedCardholder {
  readonly merchantId: number;
  readonly cardholderNo: string;
  readonly cardholderUniqueNo: string;
  readonly applicantId: string;
  readonly now: number;
}

/**
 * The number of the attempt, which is 1. The first poll is due at once: a shared applicant comes with the verdict of the
 * merchant's own provider account, so most are final, and their webhook may have come before the applicant's id was stored.
 */
export async function insertCardholder(tx: Sql, cardholder: ImportedCardholder): Promise<number> {
  const { merchantId, cardholderNo, cardholderUniqueNo, applicantId, now } = cardholder;
  await tx.query(
    `INSERT INTO cardholder (merchant_id, cardholder_no, cardholder_unique_no, status, attempt, kyc_applicant_id,
                             created_at, updated_at, poll_due_at)
     VALUES ($1, $2, $3, 'Pending', 1, $4, $5, $5, $5)`,
    [merchantId, cardholderNo, cardholderUniqueNo, applicantId, now],
  );
  return 1;
}

/** The number of the new attempt, or null when the cardholder is not `Rejected` any more. Drops a poll of the old applicant. */
export async function startNextAttempt(tx: Sql, cardholder: ImportedCardholder): Promise<number | null> {
  const { merchantId, cardholderNo, applicantId, now } = cardholder;
  const { rows } = await tx.query<{ attempt: number }>(
    `UPDATE cardholder
     SET status = 'Pending', fail_reason = '', attempt = attempt + 1, kyc_applicant_id = $3, updated_at = $4,
         poll_due_at = $4, poll_count = 0, poll_claim_id = NULL, poll_lease_until = 0
     WHERE merchant_id = $1 AND cardholder_no = $2 AND status = 'Rejected'
     RETURNING attempt`,
    [merchantId, cardholderNo, applicantId, now],
  );
  return rows[0]?.attempt ?? null;
}

export async function insertAttempt(
  tx: Sql,
  attempt: {
    merchantId: number;
    cardholderNo: string;
    attempt: number;
    shareTokenHash: Buffer;
    applicantId: string;
    now: number;
  },
): Promise<void> {
  await tx.query(
    `INSERT INTO cardholder_attempt (merchant_id, cardholder_no, attempt, share_token_hash, kyc_applicant_id, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      attempt.merchantId,
      attempt.cardholderNo,
      attempt.attempt,
      attempt.shareTokenHash,
      attempt.applicantId,
      attempt.now,
    ],
  );
}

// --- Verdicts ---------------------------------------------------------------------------------------------------------

/** The right to read one applicant, with what was known when it was given. */
export interface PollClaim {
  readonly merchantId: number;
  readonly cardholderNo: string;
  readonly applicantId: string;
  readonly claimId: string;
  readonly pollWanted: number;
}

interface PollClaimRow {
  merchant_id: number;
  cardholder_no: string;
  kyc_applicant_id: string;
  poll_claim_id: string;
  poll_wanted: number;
}

interface NewPollClaim {
  readonly claimId: string;
  readonly leaseUntil: number;
  readonly now: number;
  readonly limit: number;
}

/** MATERIALIZED, because a sub-select with SKIP LOCKED that a nested loop runs twice locks more rows than it returns. */
function claimStatement(condition: string): string {
  return `WITH due AS MATERIALIZED (
       SELECT merchant_id, cardholder_no FROM cardholder
       WHERE ${condition} AND poll_lease_until <= $3
       ORDER BY poll_due_at LIMIT $4 FOR UPDATE SKIP LOCKED)
     UPDATE cardholder SET poll_claim_id = $1, poll_lease_until = $2, poll_count = poll_count + 1
     FROM due
     WHERE cardholder.merchant_id = due.merchant_id AND cardholder.cardholder_no = due.cardholder_no
     RETURNING cardholder.merchant_id, cardholder.cardholder_no, kyc_applicant_id, poll_claim_id, poll_wanted`;
}

export async function claimDuePolls(sql: Sql, claim: NewPollClaim): Promise<PollClaim[]> {
  const { claimId, leaseUntil, now, limit } = claim;
  const { rows } = await sql.query<PollClaimRow>(claimStatement("poll_due_at <= $3"), [
    claimId,
    leaseUntil,
    now,
    limit,
  ]);
  return rows.map(pollClaimOf);
}

export async function claimPollsOf(sql: Sql, claim: NewPollClaim & { applicantId: string }): Promise<PollClaim[]> {
  const { applicantId, claimId, leaseUntil, now, limit } = claim;
  const { rows } = await sql.query<PollClaimRow>(claimStatement("kyc_applicant_id = $5"), [
    claimId,
    leaseUntil,
    now,
    limit,
    applicantId,
  ]);
  return rows.map(pollClaimOf);
}

function pollClaimOf(row: PollClaimRow): PollClaim {
  return {
    merchantId: row.merchant_id,
    cardholderNo: row.cardholder_no,
    applicantId: row.kyc_applicant_id,
    claimId: row.poll_claim_id,
    pollWanted: row.poll_wanted,
  };
}

/** Makes an applicant due at once and polled often again. The number of cardholders that have it. */
export async function wantPoll(sql: Sql, { applicantId, now }: { applicantId: string; now: number }): Promise<number> {
  const { rowCount } = await sql.query(
    `UPDATE cardholder SET poll_due_at = $2, poll_wanted = poll_wanted + 1, poll_count = 0
     WHERE kyc_applicant_id = $1`,
    [applicantId, now],
  );
  return rowCount ?? 0;
}

/** A claimed cardholder as it is when the provider has answered. */
export interface PolledCardholder {
  readonly merchantId: number;
  readonly cardholderNo: string;
  readonly attempt: number;
  readonly status: CardholderStatus;
  readonly failReason: string;
  readonly firstApprovedAt: number | null;
  readonly pollCount: number;
  readonly pollWanted: number;
}

/** Null when the claim was lost: its lease ended and another took it, or a new application began. */
export async function lockPolled(tx: Sql, claim: PollClaim): Promise<PolledCardholder | null> {
  const { merchantId, cardholderNo, claimId } = claim;
  const { rows } = await tx.query<{
    attempt: number;
    status: CardholderStatus;
    fail_reason: string;
    first_approved_at: string | bigint | null;
    poll_count: number;
    poll_wanted: number;
  }>(
    `SELECT attempt, status, fail_reason, first_approved_at, poll_count, poll_wanted FROM cardholder
     WHERE merchant_id = $1 AND cardholder_no = $2 AND poll_claim_id = $3 FOR UPDATE`,
    [merchantId, cardholderNo, claimId],
  );
  const [row] = rows;
  if (row === undefined) return null;
  return {
    merchantId,
    cardholderNo,
    attempt: row.attempt,
    status: row.status,
    failReason: row.fail_reason,
    firstApprovedAt: row.first_approved_at === null ? null : Number(row.first_approved_at),
    pollCount: row.poll_count,
    pollWanted: row.poll_wanted,
  };
}

export async function releasePoll(
  tx: Sql,
  { merchantId, cardholderNo, dueAt }: { merchantId: number; cardholderNo: string; dueAt: number | null },
): Promise<void> {
  await tx.query(
    `UPDATE cardholder SET poll_claim_id = NULL, poll_lease_until = 0, poll_due_at = $3
     WHERE merchant_id = $1 AND cardholder_no = $2`,
    [merchantId, cardholderNo, dueAt],
  );
}

/** Writes what the provider said and ends the claim. A text the provider has no longer, or not yet, keeps its last value. */
export async function writeVerdict(
  tx: Sql,
  verdict: {
    merchantId: number;
    cardholderNo: string;
    status: CardholderStatus;
    failReason: string;
    email: string;
    firstName: string;
    lastName: string;
    now: number;
    dueAt: number | null;
    isFirstApproval: boolean;
  },
): Promise<void> {
  await tx.query(
    `UPDATE cardholder
     SET status = $3, fail_reason = $4, updated_at = $8, poll_due_at = $9, poll_claim_id = NULL, poll_lease_until = 0,
         email = coalesce(nullif($5, ''), email),
         first_name = coalesce(nullif($6, ''), first_name),
         last_name = coalesce(nullif($7, ''), last_name),
         first_approved_at = CASE WHEN $10 THEN $8 ELSE first_approved_at END
     WHERE merchant_id = $1 AND cardholder_no = $2`,
    [
      verdict.merchantId,
      verdict.cardholderNo,
      verdict.status,
      verdict.failReason,
      verdict.email,
      verdict.firstName,
      verdict.lastName,
      verdict.now,
      verdict.dueAt,
      verdict.isFirstApproval,
    ],
  );
}

export async function insertStatusChange(
  tx: Sql,
  change: {
    merchantId: number;
    cardholderNo: string;
    attempt: number;
    beforeStatus: CardholderStatus;
    afterStatus: CardholderStatus;
    reason: string;
    now: number;
  },
): Promise<void> {
  const { merchantId, cardholderNo, attempt, beforeStatus, afterStatus, reason, now } = change;
  await tx.query(
    `INSERT INTO cardholder_status_change
       (merchant_id, cardholder_no, change_id, attempt, before_status, after_status, reason, changed_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [merchantId, cardholderNo, uuid7(now), attempt, beforeStatus, afterStatus, reason, now],
  );
}

// --- Reads ------------------------------------------------------------------------------------------------------------

interface CardholderRow {
  merchant_id: number;
  cardholder_no: string;
  cardholder_unique_no: string;
  status: CardholderStatus;
  email: string;
  first_name: string;
  last_name: string;
  fail_reason: string;
  created_at: string | bigint;
}

const cardholderColumns =
  "merchant_id, cardholder_no, cardholder_unique_no, status, email, first_name, last_name, fail_reason, created_at";

function cardholderOf(row: CardholderRow): Cardholder {
  return {
    merchantId: row.merchant_id,
    cardholderNo: row.cardholder_no,
    cardholderUniqueNo: row.cardholder_unique_no,
    status: row.status,
    email: row.email,
    firstName: row.first_name,
    lastName: row.last_name,
    failReason: row.fail_reason,
    createdAt: Number(row.created_at),
  };
}

export async function findCardholder(
  sql: Sql,
  { merchantId, cardholderNo }: { merchantId: number; cardholderNo: string },
): Promise<Cardholder | null> {
  const { rows } = await sql.query<CardholderRow>({
    name: "find_cardholder",
    text: `SELECT ${cardholderColumns} FROM cardholder WHERE merchant_id = $1 AND cardholder_no = $2`,
    values: [merchantId, cardholderNo],
  });
  return rows[0] === undefined ? null : cardholderOf(rows[0]);
}

export interface CardholderFilter {
  readonly merchantId: number;
  readonly cardholderNo?: string | undefined;
  readonly cardholderUniqueNo?: string | undefined;
  /** Unix ms; from and including. */
  readonly startMs: number;
  /** Unix ms; up to and excluding. */
  readonly endMsExclusive: number;
  /** Zero-based. */
  readonly page: number;
  readonly size: number;
}

/**
 * The text depends on which filters are given, so that each combination has its own plan: a number is one look into a unique
 * index, and without one the page is a walk along `cardholder_newest` from the end of the range.
 */
export async function listCardholders(sql: Sql, filter: CardholderFilter): Promise<Cardholder[]> {
  const { merchantId, startMs, endMsExclusive, page, size } = filter;
  const values: (string | number)[] = [merchantId, startMs, endMsExclusive, size, page * size];
  const conditions = ["merchant_id = $1", "created_at >= $2", "created_at < $3"];
  if (filter.cardholderNo !== undefined) conditions.push(`cardholder_no = $${values.push(filter.cardholderNo)}`);
  if (filter.cardholderUniqueNo !== undefined) {
    conditions.push(`cardholder_unique_no = $${values.push(filter.cardholderUniqueNo)}`);
  }
  const { rows } = await sql.query<CardholderRow>(
    `SELECT ${cardholderColumns} FROM cardholder
     JOIN (
       SELECT merchant_id, cardholder_no FROM cardholder WHERE ${conditions.join(" AND ")}
       ORDER BY created_at DESC, cardholder_no DESC LIMIT $4 OFFSET $5
     ) page USING (merchant_id, cardholder_no)
     ORDER BY created_at DESC, cardholder_no DESC`,
    values,
  );
  return rows.map(cardholderOf);
}
