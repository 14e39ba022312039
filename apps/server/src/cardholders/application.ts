import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { inTransaction, type Sql } from "#database/index.ts";
import { ok, type Result, refused, unreachable, uuid7 } from "#kernel/index.ts";
import { type AcceptedApplication, type ApplyRefusal, applyRefusalOf } from "./cardholder.ts";
import type { CardholdersDeps } from "./deps.ts";
import * as store from "./store.ts";

export interface Application {
  readonly merchantId: number;
  /** Only to apply again for a cardholder that exists. */
  readonly cardholderNo?: string | undefined;
  readonly cardholderUniqueNo: string;
  readonly sumsubShareToken: string;
}

/** Three import time-outs: after that the process which made the reservation is taken for dead. */
export const importLeaseMs = 30_000;
/** How long a call waits for another one with the same number and token: a little longer than one import may take. */
const waitMsMax = 12_000;
const waitStepMs = { first: 20, max: 250 };

/**
 * Contract section 3, `cardholder/apply`. The number is reserved in a short transaction, the provider is called with none
 * open, and the answer is stored in another. A refused call leaves nothing behind; neither does one whose process dies, once
 * its reservation's lease is over. What cannot be given back is the share token: Sumsub takes each one once.
 */
export async function apply(
  deps: CardholdersDeps,
  application: Application,
): Promise<Result<AcceptedApplication, ApplyRefusal>> {
  const shareTokenHash = createHash("sha256").update(application.sumsubShareToken).digest();
  const claimId = uuid7(deps.clock.now());
  const next = await inTransaction(deps.pool, (tx) => reserve(deps, { tx, application, shareTokenHash, claimId }), {
    commitWhen: ({ step }) => step === "import",
  });
  switch (next.step) {
    case "answer":
      return ok(next.accepted);
    case "refuse":
      return refused(next.reason);
    case "wait":
      return waitForOther(deps, { application, shareTokenHash, claimId: next.claimId });
    case "import":
      return importReserved(deps, { application, shareTokenHash, claimId, cardholderNo: next.cardholderNo });
    default:
      return unreachable(next);
  }
}

type NextStep =
  | { readonly step: "answer"; readonly accepted: AcceptedApplication }
  | { readonly step: "refuse"; readonly reason: ApplyRefusal }
  | { readonly step: "wait"; readonly claimId: string }
  | { readonly step: "import"; readonly cardholderNo: string | null };

/**
 * The claim comes before the reads: from it on, no other call with this number can change what is read. It is rolled back
 * unless an import follows.
 */
async function reserve(
  deps: CardholdersDeps,
  input: { tx: Sql; application: Application; shareTokenHash: Buffer; claimId: string },
): Promise<NextStep> {
  const { tx, application, shareTokenHash, claimId } = input;
  const { merchantId, cardholderUniqueNo } = application;
  const now = deps.clock.now();
  const leaseUntil = now + importLeaseMs;
  const claim = await store.claimImport(tx, {
    merchantId,
    cardholderUniqueNo,
    claimId,
    shareTokenHash,
    leaseUntil,
    now,
  });
  const known = await store.findApplied(tx, { ...application, shareTokenHash });
  return nextStep({ application, shareTokenHash, claim, claimId, known });
}

/** The rules of contract section 3 and 9, over what the database holds. */
function nextStep(input: {
  application: Application;
  shareTokenHash: Buffer;
  claim: store.ImportClaim;
  claimId: string;
  known: store.AppliedCardholder | null;
}): NextStep {
  const { application, shareTokenHash, claim, claimId, known } = input;
  const isUpdate = application.cardholderNo !== undefined;
  if (isUpdate && known === null) return { step: "refuse", reason: "cardholder_not_found" };
  if (known !== null && known.cardholderUniqueNo !== application.cardholderUniqueNo) {
    return { step: "refuse", reason: "unique_number_differs" };
  }
  if (known?.tokenWasAccepted === true) {
    // Applying again with the very token whose verification was refused can only fail again: the provider took it once.
    return isUpdate && known.status === "Rejected"
      ? { step: "refuse", reason: "verification_failed" }
      : { step: "answer", accepted: acceptedOf(known) };
  }
  if (claim.claimId !== claimId) {
    if (claim.shareTokenHash.equals(shareTokenHash)) return { step: "wait", claimId: claim.claimId };
    return { step: "refuse", reason: isUpdate ? "verification_pending" : "cardholder_exists" };
  }
  if (known === null) return { step: "import", cardholderNo: null };
  if (!isUpdate) return { step: "refuse", reason: "cardholder_exists" };
  switch (known.status) {
    case "Approved":
      return { step: "refuse", reason: "already_verified" };
    case "Pending":
    case "In_progress":
      return { step: "refuse", reason: "verification_pending" };
    case "Rejected":
      return { step: "import", cardholderNo: known.cardholderNo };
    default:
      return unreachable(known.status);
  }
}

interface Reserved {
  readonly application: Application;
  readonly shareTokenHash: Buffer;
  readonly claimId: string;
  /** null for a new cardholder. */
  readonly cardholderNo: string | null;
}

async function importReserved(
  deps: CardholdersDeps,
  reserved: Reserved,
): Promise<Result<AcceptedApplication, ApplyRefusal>> {
  const { merchantId, cardholderUniqueNo, sumsubShareToken } = reserved.application;
  const imported = await deps.kyc.importApplicant({ shareToken: sumsubShareToken });
  if (!imported.ok) {
    await store.releaseImport(deps.pool, { merchantId, cardholderUniqueNo, claimId: reserved.claimId });
    return refused(applyRefusalOf[imported.reason]);
  }
  const { applicantId } = imported.value;
  return inTransaction(deps.pool, (tx) => storeImported(deps, { tx, reserved, applicantId }));
}

/** A reservation that was taken over meanwhile is lost, and with it this import: the other call answers for the number. */
async function storeImported(
  deps: CardholdersDeps,
  { tx, reserved, applicantId }: { tx: Sql; reserved: Reserved; applicantId: string },
): Promise<Result<AcceptedApplication, ApplyRefusal>> {
  const { application, shareTokenHash, claimId } = reserved;
  const { merchantId, cardholderUniqueNo } = application;
  if (!(await store.releaseImport(tx, { merchantId, cardholderUniqueNo, claimId }))) {
    return refused("kyc_data_unavailable");
  }
  const now = deps.clock.now();
  const cardholderNo = reserved.cardholderNo ?? deps.newCardholderNo(now);
  const row = { merchantId, cardholderNo, cardholderUniqueNo, applicantId, now };
  const attempt = await (reserved.cardholderNo === null
    ? store.insertCardholder(tx, row)
    : store.startNextAttempt(tx, row));
  // The earlier applicant was approved late, while this import ran: that verdict stands.
  if (attempt === null) return refused("already_verified");
  await store.insertAttempt(tx, { merchantId, cardholderNo, attempt, shareTokenHash, applicantId, now });
  if (reserved.cardholderNo !== null) {
    await store.insertStatusChange(tx, {
      merchantId,
      cardholderNo,
      attempt,
      beforeStatus: "Rejected",
      afterStatus: "Pending",
      reason: "",
      now,
    });
  }
  return ok({ cardholderNo, cardholderUniqueNo });
}

/**
 * The contract wants the same number with the same token to answer with the first result. When the first call fails, this one
 * fails alike and does not import: the token may be used up. Waits real time, whatever the sandbox's clock does.
 */
async function waitForOther(
  deps: CardholdersDeps,
  input: { application: Application; shareTokenHash: Buffer; claimId: string },
): Promise<Result<AcceptedApplication, ApplyRefusal>> {
  const { application, shareTokenHash, claimId } = input;
  let waitMs = waitStepMs.first;
  for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += waitMs, waitMs = Math.min(waitMs * 2, waitStepMs.max)) {
    await sleep(waitMs);
    if (await store.isImportRunning(deps.pool, { ...application, claimId })) continue;
    const known = await store.findApplied(deps.pool, { ...application, shareTokenHash });
    return known?.tokenWasAccepted === true ? ok(acceptedOf(known)) : refused("kyc_data_unavailable");
  }
  return refused("verification_pending");
}

function acceptedOf({ cardholderNo, cardholderUniqueNo }: AcceptedApplication): AcceptedApplication {
  return { cardholderNo, cardholderUniqueNo };
}
