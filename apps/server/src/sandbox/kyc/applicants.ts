import { randomBytes } from "node:crypto";
import type { Review } from "./outcomes.ts";
import type { Person } from "./share-tokens.ts";

export interface SimulatedApplicant {
  readonly id: string;
  readonly createdAt: number;
  readonly person: Person;
  review: Review;
}

export interface Applicants {
  add(input: { person: Person; now: number }): SimulatedApplicant;
  get(id: string): SimulatedApplicant | undefined;
}

/** The oldest are forgotten beyond this. */
const applicantsMax = 100_000;

/** Kept in memory: a restarted sandbox answers 404 for the applicants of its former life. */
export function createApplicants(): Applicants {
  const byId = new Map<string, SimulatedApplicant>();
  return {
    add({ person, now }) {
      const applicant = {
        id: randomBytes(12).toString("hex"),
        createdAt: now,
        person,
        review: { reviewStatus: "pending" } as const,
      };
      byId.set(applicant.id, applicant);
      const [oldest] = byId.keys();
      if (byId.size > applicantsMax && oldest !== undefined) byId.delete(oldest);
      return applicant;
    },
    get: (id) => byId.get(id),
  };
}

/** `GET /resources/applicants/{id}/one`, the fields a client may rely on. */
export function applicantAnswer({ id, createdAt, person, review }: SimulatedApplicant): object {
  return {
    id,
    createdAt: new Date(createdAt).toISOString().slice(0, 19).replace("T", " "),
    clientId: "cardwright-sandbox",
    inspectionId: id,
    externalUserId: `sandbox-${id}`,
    type: "individual",
    email: person.email,
    info: {
      firstName: person.firstName,
      firstNameEn: person.firstName,
      lastName: person.lastName,
      lastNameEn: person.lastName,
    },
    review: { reviewId: id, attemptId: id, attemptCnt: 0, levelName: "sandbox-kyc", ...review },
  };
}
