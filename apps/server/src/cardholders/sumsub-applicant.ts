import { z } from "zod";
import type { Applicant, Review } from "./kyc-provider.ts";

/**
 * `GET /resources/applicants/{id}/one`, as far as we read it. Everything but the id may be missing. A field that does not
 * have the expected form is read as missing, because a strange name must not keep a verdict from arriving.
 */
const text = z.string().optional().catch(undefined);
const applicantAnswer = z.object({
  id: z.string(),
  email: text,
  info: z.object({ firstName: text, lastName: text, firstNameEn: text, lastNameEn: text }).optional().catch(undefined),
  review: z.object({
    reviewStatus: z.string(),
    reviewResult: z
      .object({
        reviewAnswer: text,
        reviewRejectType: text,
        moderationComment: text,
        rejectLabels: z.array(z.string()).optional().catch(undefined),
      })
      .optional()
      .catch(undefined),
  }),
});
type ApplicantAnswer = z.infer<typeof applicantAnswer>;

/** 254 is the longest e-mail address (RFC 5321), 64 the contract's longest name; a reason is one or two sentences. */
const emailLengthMax = 254;
const nameLengthMax = 64;
const reasonLengthMax = 500;
/** Characters that break lists, logs or the database (NUL), the same set that contract section 6 replaces in shop names. */
const unprintable = /[\p{Cc}\u2028\u2029\p{Cs}]+/gu;

/** Reads the provider's answer about one applicant, or null when it is not one. */
export function readApplicant(json: unknown): Applicant | null {
  const answer = applicantAnswer.safeParse(json);
  if (!answer.success) return null;
  const { email, info, review } = answer.data;
  return {
    email: printable(email, emailLengthMax),
    firstName: printable(info?.firstNameEn || info?.firstName, nameLengthMax),
    lastName: printable(info?.lastNameEn || info?.lastName, nameLengthMax),
    review: readReview(review),
  };
}

/** An answer counts only once the review is `completed`: the result of an earlier round stays in place while a new one runs. */
function readReview({ reviewStatus, reviewResult }: ApplicantAnswer["review"]): Review {
  if (reviewStatus === "onHold") return { state: "on_hold" };
  if (reviewStatus !== "completed") return { state: "pending" };
  if (reviewResult?.reviewAnswer === "GREEN") return { state: "approved" };
  if (reviewResult?.reviewAnswer !== "RED") return { state: "pending" };
  return {
    state: "rejected",
    rejection: reviewResult.reviewRejectType === "RETRY" ? "retry" : "final",
    reason: rejectionReason(reviewResult),
  };
}

/** The comment is written for the applicant's eyes; the labels are the fallback. A rejection without either still says something. */
function rejectionReason(result: NonNullable<ApplicantAnswer["review"]["reviewResult"]>): string {
  const comment = printable(result.moderationComment, reasonLengthMax);
  return comment || printable(result.rejectLabels?.join(", "), reasonLengthMax) || "Rejected without a stated reason";
}

function printable(value: string | undefined, lengthMax: number): string {
  return Array.from((value ?? "").replaceAll(unprintable, " ").trim())
    .slice(0, lengthMax)
    .join("");
}
