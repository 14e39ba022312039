import { createHash } from "node:crypto";
import { type AuditDetail, canonicalJson } from "./canonical-json.ts";

/** Who asked for a change: `operator`, later a person's name; the request's id finds the log lines that belong to it. */
export interface Initiator {
  readonly actor: string;
  readonly requestId?: string;
}

/** One thing that was done. */
export interface AuditEntry extends Initiator {
  /** The merchant that is concerned, 0 for the platform. */
  readonly merchantId: number;
  /** In words like `merchant.create`. */
  readonly action: string;
  /** The public number or id of what it was done to. */
  readonly subject: string;
  /** What was done, without any secret. */
  readonly detail: AuditDetail;
  /** Unix ms. */
  readonly at: number;
}

/** An entry as it lies in the table: texts as stored, `entryNo` counts from 1 within the merchant's chain. */
export interface ChainedEntry {
  readonly merchantId: number;
  readonly entryNo: bigint;
  readonly actor: string;
  readonly requestId: string;
  readonly action: string;
  readonly subject: string;
  readonly detail: string;
  readonly at: number;
}

/** What the first entry of a chain follows. */
export const chainStart = Buffer.alloc(32);

/** A body of the operator's API has at most 32 KiB; before and after of it fit in twice that. */
const detailCharactersMax = 131_072;

/** A detail with one of these keys would carry a secret into a table that is never cleaned. */
const forbiddenKeys = new Set([
  "api_key",
  "api_secret",
  "secret",
  "pan",
  "cvv",
  "pin",
  "password",
  "token",
  "access_token",
]);

/** The detail's text as it is stored and hashed. Throws when it is too long or names a secret: both are bugs of the caller. */
export function detailText(detail: AuditDetail): string {
  refuseSecrets(detail);
  const text = canonicalJson(detail);
  if (text.length > detailCharactersMax) throw new RangeError("an audit detail is too long");
  return text;
}

/** SHA-256 over the previous hash and the canonical JSON of the entry. */
export function entryHash(previousHash: Buffer, entry: ChainedEntry): Buffer {
  const { merchantId, entryNo, actor, requestId, action, subject, detail, at } = entry;
  const facts = canonicalJson({
    action,
    actor,
    at,
    detail,
    entry_no: String(entryNo),
    merchant_id: merchantId,
    request_id: requestId,
    subject,
  });
  return createHash("sha256").update(previousHash).update(facts, "utf8").digest();
}

function refuseSecrets(detail: AuditDetail): void {
  for (const [key, value] of Object.entries(detail)) {
    if (forbiddenKeys.has(key)) throw new Error(`an audit detail must not hold ${key}`);
    if (isDetail(value)) refuseSecrets(value);
  }
}

function isDetail(value: AuditDetail[string]): value is AuditDetail {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
