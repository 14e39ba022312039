import { uuid7 } from "#kernel/index.ts";
import type { CardholdersDeps } from "./deps.ts";
import type { KycEvent } from "./kyc-provider.ts";
import * as store from "./store.ts";
import { refreshVerdict, type VerdictOutcome } from "./verdict.ts";

/** One claim covers the slowest batch: 32 applicants, 8 at a time, 15 s each, is 60 s. */
const pollLeaseMs = 90_000;
const pollBatchMax = 32;
const pollLanesMax = 8;
const pollBudgetMs = 15_000;
/** Sumsub waits 10 s for the answer to a webhook; what is not read by then is left to the poll. */
const webhookBudgetMs = 4_000;
/** More than one cardholder with one applicant exists only if the provider gave out an id twice. */
const sharedApplicantMax = 10;
const abandonedImportsMax = 100;

export interface PollReport {
  readonly polled: number;
  readonly changed: number;
  /** Applicants the provider did not give us. Many in a row mean that it is down, or that our credentials are not accepted. */
  readonly deferred: number;
}

/**
 * One round of the worker: reads at most `limit` (and at most 32) due applicants, and removes reservations of applications
 * whose process died. Many workers may call it at once; each applicant is read by one. When a single applicant fails by a
 * bug, the others are still read, and the round throws at its end.
 */
export async function pollDue(deps: CardholdersDeps, limit: number): Promise<PollReport> {
  const now = deps.clock.now();
  await store.removeAbandonedImports(deps.pool, { now, limit: abandonedImportsMax });
  const claims = await store.claimDuePolls(deps.pool, {
    claimId: uuid7(now),
    leaseUntil: now + pollLeaseMs,
    now,
    limit: Math.min(limit, pollBatchMax),
  });
  const outcomes: VerdictOutcome[] = [];
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    for (let claim = claims.pop(); claim !== undefined; claim = claims.pop()) {
      try {
        outcomes.push(await refreshVerdict(deps, { claim, budgetMs: pollBudgetMs }));
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: pollLanesMax }, lane));
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} applicants could not be updated`);
  const count = (wanted: VerdictOutcome): number => outcomes.filter((outcome) => outcome === wanted).length;
  return { polled: outcomes.length, changed: count("changed"), deferred: count("deferred") };
}

export type WebhookOutcome = VerdictOutcome | "unknown_applicant";

/**
 * Takes a webhook as a reason to read the applicant, whatever it says: so a repeated one, one out of order and a forged verdict
 * are all harmless. That the applicant is due is stored first; when the read fails or the process dies, the poll makes up for it.
 * Every outcome is to be answered with 200: `unknown_applicant` belongs to another user of the same Sumsub account, or its
 * import is just being stored and will be polled.
 */
export async function handleWebhook(deps: CardholdersDeps, { applicantId }: KycEvent): Promise<WebhookOutcome> {
  const now = deps.clock.now();
  if ((await store.wantPoll(deps.pool, { applicantId, now })) === 0) return "unknown_applicant";
  const claims = await store.claimPollsOf(deps.pool, {
    applicantId,
    claimId: uuid7(now),
    leaseUntil: now + pollLeaseMs,
    now,
    limit: sharedApplicantMax,
  });
  const outcomes = await Promise.all(claims.map((claim) => refreshVerdict(deps, { claim, budgetMs: webhookBudgetMs })));
  for (const outcome of ["changed", "deferred", "superseded", "unchanged"] as const) {
    if (outcomes.includes(outcome)) return outcome;
  }
  return "deferred";
}
