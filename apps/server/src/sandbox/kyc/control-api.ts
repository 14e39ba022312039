import { z } from "zod";
import { type Applicants, applicantAnswer, type SimulatedApplicant } from "./applicants.ts";
import { outcomes, type Review, reviewStatuses } from "./outcomes.ts";
import { refusal, type SimulatorAnswer, type SimulatorRequest } from "./provider-api.ts";
import type { ShareTokens } from "./share-tokens.ts";
import type { WebhookTry } from "./webhook-sender.ts";

const newShareToken = z.object({
  outcome: z.enum(outcomes),
  applicant: z.object({
    email: z.string().max(254),
    firstName: z.string().max(200),
    lastName: z.string().max(200),
  }),
});

const newReview = z.object({
  reviewStatus: z.enum(reviewStatuses).default("completed"),
  reviewAnswer: z.enum(["GREEN", "RED"]).optional(),
  reviewRejectType: z.enum(["RETRY", "FINAL"]).default("FINAL"),
  rejectLabels: z.array(z.string().max(64)).max(20).default([]),
  moderationComment: z.string().max(2000).default(""),
  /** No webhook tells of it. */
  silent: z.boolean().default(false),
});

export interface ControlApiDeps {
  readonly applicants: Applicants;
  readonly tokens: ShareTokens;
  readonly webhookTries: readonly WebhookTry[];
  readonly onReviewed: (applicant: SimulatedApplicant, change: { review: Review; silent: boolean }) => void;
}

/** What the real service does by people and cameras: the sandbox's user says it here. Not signed: it listens on this machine. */
export function answerControlApi(
  deps: ControlApiDeps,
  { method, target, body }: SimulatorRequest,
): SimulatorAnswer | null {
  const { pathname } = new URL(target, "http://kyc");
  if (method === "GET" && pathname === "/simulator/webhooks") return { status: 200, json: { list: deps.webhookTries } };
  if (method !== "POST") return null;
  if (pathname === "/simulator/share-tokens") return createShareToken(deps, body);
  const id = /^\/simulator\/applicants\/([^/]+)\/review$/u.exec(pathname)?.[1];
  return id === undefined ? null : setReview(deps, { id, body });
}

function createShareToken({ tokens }: ControlApiDeps, body: Buffer): SimulatorAnswer {
  const input = newShareToken.safeParse(parseJson(body));
  if (!input.success) return refusal({ code: 400, description: z.prettifyError(input.error) });
  return { status: 201, json: tokens.create({ outcome: input.data.outcome, person: input.data.applicant }) };
}

function setReview(deps: ControlApiDeps, { id, body }: { id: string; body: Buffer }): SimulatorAnswer {
  const applicant = deps.applicants.get(id);
  if (applicant === undefined) return refusal({ code: 404, description: "Applicant not found" });
  const input = newReview.safeParse(parseJson(body));
  if (!input.success) return refusal({ code: 400, description: z.prettifyError(input.error) });
  const { silent, ...wanted } = input.data;
  deps.onReviewed(applicant, { review: reviewOf(wanted), silent });
  return { status: 200, json: applicantAnswer(applicant) };
}

function reviewOf(wanted: Omit<z.infer<typeof newReview>, "silent">): Review {
  const { reviewStatus, reviewAnswer, reviewRejectType, rejectLabels, moderationComment } = wanted;
  if (reviewAnswer === undefined) return { reviewStatus };
  if (reviewAnswer === "GREEN") return { reviewStatus, reviewResult: { reviewAnswer } };
  return { reviewStatus, reviewResult: { reviewAnswer, reviewRejectType, rejectLabels, moderationComment } };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
