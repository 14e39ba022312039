import { inTransaction, type Sql } from "#database/index.ts";
import { unreachable } from "#kernel/index.ts";
import type { CardholderStatus } from "./cardholder.ts";
import type { CardholdersDeps } from "./deps.ts";
import type { Applicant, Review } from "./kyc-provider.ts";
import { nextPollAt } from "./poll-schedule.ts";
import * as store from "./store.ts";

/** `deferred`: the provider could not be read now and will be polled. `superseded`: somebody else reads, or a new application began. */
export type VerdictOutcome = "changed" | "unchanged" | "deferred" | "superseded";

/**
 * Reads a claimed applicant and applies what the provider says now. The claim makes reads of one applicant follow each other,
 * so an older answer can never overwrite a newer one; and a webhook that arrives between read and write is noticed by its
 * count, which makes the applicant due again.
 */
export async function refreshVerdict(
  deps: CardholdersDeps,
  { claim, budgetMs }: { claim: store.PollClaim; budgetMs: number },
): Promise<VerdictOutcome> {
  const fetched = await deps.kyc.fetchApplicant({ applicantId: claim.applicantId, budgetMs });
  return inTransaction(deps.pool, async (tx) => {
    const held = await store.lockPolled(tx, claim);
    if (held === null) return "superseded";
    const now = deps.clock.now();
    const isNewerWanted = held.pollWanted !== claim.pollWanted;
    if (!fetched.ok) {
      const dueAt = isNewerWanted ? now : nextPollAt({ now, pollCount: held.pollCount });
      await store.releasePoll(tx, { ...claim, dueAt });
      return "deferred";
    }
    const dueAt = isNewerWanted ? now : dueAfter(fetched.value.review, { now, pollCount: held.pollCount });
    return applyVerdict(deps, { tx, held, applicant: fetched.value, now, dueAt });
  });
}

async function applyVerdict(
  deps: CardholdersDeps,
  input: { tx: Sql; held: store.PolledCardholder; applicant: Applicant; now: number; dueAt: number | null },
): Promise<VerdictOutcome> {
  const { tx, held, applicant, now, dueAt } = input;
  const { merchantId, cardholderNo, attempt } = held;
  const status = statusOf(applicant.review);
  const failReason = applicant.review.state === "rejected" ? applicant.review.reason : "";
  const isFirstApproval = status === "Approved" && held.firstApprovedAt === null;
  await store.writeVerdict(tx, { ...held, ...applicant, status, failReason, now, dueAt, isFirstApproval });
  if (status === held.status && failReason === held.failReason) return "unchanged";
  await store.insertStatusChange(tx, {
    merchantId,
    cardholderNo,
    attempt,
    beforeStatus: held.status,
    afterStatus: status,
    reason: failReason,
    now,
  });
  if (isFirstApproval) await deps.onApproved(tx, { merchantId, cardholderNo });
  return "changed";
}

/**
 * A review that is opened again after an approval is `In_progress`, like any other: the provider's present word counts, and
 * until the new verdict no further card is opened.
 */
function statusOf(review: Review): CardholderStatus {
  switch (review.state) {
    case "pending":
    case "on_hold":
      return "In_progress";
    case "approved":
      return "Approved";
    case "rejected":
      return "Rejected";
    default:
      return unreachable(review);
  }
}

function dueAfter(review: Review, poll: { now: number; pollCount: number }): number | null {
  return review.state === "approved" || review.state === "rejected" ? null : nextPollAt(poll);
}
