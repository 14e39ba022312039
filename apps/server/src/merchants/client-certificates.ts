import { X509Certificate } from "node:crypto";
import { appendAudit, type Initiator } from "#audit/index.ts";
import { inTransaction, type Sql } from "#database/index.ts";
import { ok, type Result, refused, uuid7 } from "#kernel/index.ts";
import { callbackSecrets as bounds } from "../limits.ts";
import type { ClientCertificate, NewClientCertificate } from "./client-certificate.ts";
import { type CheckedCertificate, checkClientCertificate } from "./client-certificate-check.ts";
import {
  type CertificateRow,
  deleteCertificateRow,
  endCertificateInUse,
  insertCertificate,
  markExpiryTold,
  selectCertificateInUse,
  selectEndedCertificates,
  selectExpiringCertificates,
} from "./client-certificate-store.ts";
import { insertEvent } from "./event-store.ts";
import type { MerchantsDeps } from "./ports.ts";
import type { ClientCertificateRefusal } from "./refusals.ts";
import { lockMerchant, selectMerchant } from "./store.ts";
import { tellTargetChange } from "./target-change.ts";

export async function findClientCertificate(
  deps: MerchantsDeps,
  merchantId: number,
): Promise<ClientCertificate | null> {
  const row = await selectCertificateInUse(deps.pool, merchantId);
  return row === null ? null : toCertificate(row);
}

/** The key goes into the vault before the row exists, as a credential's secret does. */
export async function setClientCertificate(
  deps: MerchantsDeps,
  input: NewClientCertificate,
  by: Initiator,
): Promise<Result<ClientCertificate, ClientCertificateRefusal>> {
  const { merchantId } = input;
  const nowMs = deps.transportClock.now();
  const checked = checkClientCertificate(input, nowMs);
  if (!checked.ok) return checked;
  if ((await selectMerchant(deps.pool, merchantId)) === null) return refused("merchant_unknown");
  const { certificatePem, privateKeyPem } = checked.value;
  const row: CertificateRow = {
    merchantId,
    certificateId: uuid7(deps.clock.now()),
    certificatePem,
    createdAtMs: nowMs,
  };
  const key = { merchantId, secretId: row.certificateId };
  const stored = await deps.clientKeys.store({ ...key, secret: privateKeyPem });
  if (!stored.ok) throw new Error("a new certificate's id names a key already");
  const outcome = await inTransaction(deps.pool, (tx) => replaceInUse(deps, tx, { row, checked: checked.value, by }));
  const isUsed = outcome.ok && outcome.value.certificateId === row.certificateId;
  if (!isUsed) await deps.clientKeys.delete(key);
  return outcome.ok ? ok(toCertificate(outcome.value)) : outcome;
}

async function replaceInUse(
  deps: MerchantsDeps,
  tx: Sql,
  change: { readonly row: CertificateRow; readonly checked: CheckedCertificate; readonly by: Initiator },
): Promise<Result<CertificateRow, ClientCertificateRefusal>> {
  const { row, checked, by } = change;
  const { merchantId, certificateId: subject } = row;
  const merchant = await lockMerchant(tx, merchantId);
  if (merchant === null) return refused("merchant_unknown");
  if (merchant.status === "Closed") return refused("merchant_closed");
  const before = await selectCertificateInUse(tx, merchantId);
  // A certificate has one key only, so the same certificate is the same pair.
  if (before !== null && before.certificatePem === row.certificatePem) return ok(before);
  await endCertificateInUse(tx, { merchantId, nowMs: row.createdAtMs });
  await insertCertificate(tx, { ...row, validToMs: checked.leaf.validToDate.getTime() });
  await tellTargetChange(tx, merchantId);
  const { fingerprint, serial, validToMs } = toCertificate(row);
  const detail = { fingerprint, serial, valid_to: validToMs, previous: before?.certificateId ?? "" };
  const at = deps.clock.now();
  await appendAudit(tx, { ...by, merchantId, action: "client_certificate.set", subject, detail, at });
  return ok(row);
}

export async function removeClientCertificate(
  deps: MerchantsDeps,
  { merchantId }: { readonly merchantId: number },
  by: Initiator,
): Promise<Result<null, "merchant_unknown" | "merchant_closed">> {
  return inTransaction(deps.pool, async (tx) => {
    const merchant = await lockMerchant(tx, merchantId);
    if (merchant === null) return refused("merchant_unknown");
    if (merchant.status === "Closed") return refused("merchant_closed");
    const before = await selectCertificateInUse(tx, merchantId);
    if (before === null) return ok(null);
    await endCertificateInUse(tx, { merchantId, nowMs: deps.transportClock.now() });
    await tellTargetChange(tx, merchantId);
    const subject = before.certificateId;
    const at = deps.clock.now();
    await appendAudit(tx, { ...by, merchantId, action: "client_certificate.remove", subject, detail: {}, at });
    return ok(null);
  });
}

/** The vault first: who dies in between finds the row again and erases once more, which changes nothing. */
export async function eraseEndedClientKeys(deps: MerchantsDeps): Promise<number> {
  const ended = await selectEndedCertificates(deps.pool, bounds.eraseBatchMax);
  for (const { merchantId, certificateId } of ended) {
    await deps.clientKeys.delete({ merchantId, secretId: certificateId });
    await deleteCertificateRow(deps.pool, { merchantId, certificateId });
  }
  return ended.length;
}

export async function warnOfExpiringCertificates(deps: MerchantsDeps): Promise<number> {
  const nowMs = deps.transportClock.now();
  const expiring = await selectExpiringCertificates(deps.pool, {
    beforeMs: nowMs + bounds.expiryToldBeforeMs,
    limit: bounds.expiryBatchMax,
  });
  for (const row of expiring) {
    await inTransaction(deps.pool, async (tx) => {
      if (!(await markExpiryTold(tx, { ...row, nowMs }))) return;
      const { merchantId, certificateId } = row;
      const { fingerprint, validToMs } = toCertificate(row);
      const at = deps.clock.now();
      const detail = { certificate_id: certificateId, fingerprint_sha256: fingerprint, valid_to: validToMs };
      await insertEvent(tx, { merchantId, eventId: uuid7(at), kind: "client_certificate_expires", detail, at });
    });
  }
  return expiring.length;
}

/** What the certificate says about itself; it was checked when it was set. */
function toCertificate({ certificateId, certificatePem, createdAtMs }: CertificateRow): ClientCertificate {
  const leaf = new X509Certificate(certificatePem);
  return {
    certificateId,
    subject: nameText(leaf.subject),
    issuer: nameText(leaf.issuer),
    serial: leaf.serialNumber,
    fingerprint: leaf.fingerprint256,
    validFromMs: leaf.validFromDate.getTime(),
    validToMs: leaf.validToDate.getTime(),
    createdAtMs,
  };
}

/** Node writes a name in lines, and nothing where there is none. */
function nameText(name: string | undefined): string {
  const line = (name ?? "").replaceAll("\n", ", ").replaceAll(/[\p{Cc}\u2028\u2029]/gu, " ");
  return line.slice(0, bounds.subjectCharactersMax);
}
