/** What happens to an applicant, chosen by the prefix of its share token: `approve-…`, `reject-…`, … */
export const outcomes = ["approve", "reject", "retry", "pending", "hold", "silent", "timeout", "down", "late"] as const;
export type KycOutcome = (typeof outcomes)[number];

export function isOutcome(value: unknown): value is KycOutcome {
  return outcomes.some((outcome) => outcome === value);
}

/** The outcome a share token stands for; null for a token without a known prefix. */
export function outcomeOfToken(shareToken: string): KycOutcome | null {
  const prefix = shareToken.slice(0, shareToken.indexOf("-"));
  return isOutcome(prefix) ? prefix : null;
}

/** The provider's own words, as they stand in its answers and webhooks. */
export interface ReviewResult {
  readonly reviewAnswer: "GREEN" | "RED";
  readonly rejectLabels?: readonly string[];
  readonly reviewRejectType?: "RETRY" | "FINAL";
  readonly moderationComment?: string;
}
export const reviewStatuses = ["init", "pending", "queued", "onHold", "completed"] as const;
export interface Review {
  readonly reviewStatus: (typeof reviewStatuses)[number];
  readonly reviewResult?: ReviewResult;
}

export interface ReviewStep {
  /** Waits on the sandbox's clock, from the import on. */
  readonly waitMs: number;
  readonly review: Review;
  /** null: the webhook never comes. */
  readonly webhook: string | null;
}

const green: Review = { reviewStatus: "completed", reviewResult: { reviewAnswer: "GREEN" } };
const forged: Review = {
  reviewStatus: "completed",
  reviewResult: {
    reviewAnswer: "RED",
    rejectLabels: ["FORGERY"],
    reviewRejectType: "FINAL",
    moderationComment: "The document is a forgery.",
  },
};
const blurred: Review = {
  reviewStatus: "completed",
  reviewResult: {
    reviewAnswer: "RED",
    rejectLabels: ["UNSATISFACTORY_PHOTOS"],
    reviewRejectType: "RETRY",
    moderationComment: "The photo is blurred, please take it again.",
  },
};

/** The course of an applicant's review after its import, which leaves it `pending`. */
export function stepsOf(outcome: KycOutcome, waits: { reviewMs: number; lateChangeMs: number }): readonly ReviewStep[] {
  const step = (review: Review, webhook: string | null, waitMs = waits.reviewMs): ReviewStep => ({
    waitMs,
    review,
    webhook,
  });
  switch (outcome) {
    case "approve":
      return [step(green, "applicantReviewed")];
    case "reject":
      return [step(forged, "applicantReviewed")];
    case "retry":
      return [step(blurred, "applicantReviewed")];
    case "hold":
      return [step({ reviewStatus: "onHold" }, "applicantOnHold")];
    case "silent":
      return [step(green, null)];
    case "late":
      return [step(green, "applicantReviewed"), step(forged, "applicantReviewed", waits.reviewMs + waits.lateChangeMs)];
    case "pending":
    case "timeout":
    case "down":
      return [];
    default:
      return outcome satisfies never;
  }
}
