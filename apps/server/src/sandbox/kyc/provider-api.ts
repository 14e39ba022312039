import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { type Applicants, applicantAnswer, type SimulatedApplicant } from "./applicants.ts";
import type { KycOutcome } from "./outcomes.ts";
import type { ShareTokens } from "./share-tokens.ts";

export interface SimulatorRequest {
  readonly method: string;
  /** The request line's target, as it was sent: it is what is signed. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
export type SimulatorAnswer = { readonly status: number; readonly json: object } | "hang";

export function refusal(input: { code: number; description: string; errorCode?: number; errorName?: string }): {
  status: number;
  json: object;
} {
  return { status: input.code, json: { ...input, type: "sandbox" } };
}

/** Sumsub refuses requests whose time is more than a minute off. */
const timestampToleranceMs = 60_000;

/** What a signed request must prove. Returns what is wrong with it, or null. */
export function signatureFault(
  { method, target, headers, body }: SimulatorRequest,
  expected: { appToken: string; secret: string; now: number },
): string | null {
  if (headers["x-app-token"] !== expected.appToken) return "App token not found";
  const timestamp = headers["x-app-access-ts"];
  if (typeof timestamp !== "string" || !/^\d{1,12}$/u.test(timestamp)) return "Request timestamp is missing";
  if (Math.abs(Number(timestamp) * 1000 - expected.now) > timestampToleranceMs) return "Request timestamp is too old";
  const digest = createHmac("sha256", expected.secret)
    .update(`${timestamp}${method}${target}`)
    .update(body)
    .digest("hex");
  const given = Buffer.from(String(headers["x-app-access-sig"]));
  const right = Buffer.from(digest);
  return given.length === right.length && timingSafeEqual(given, right) ? null : "Request signature mismatch";
}

export interface ProviderApiDeps {
  readonly applicants: Applicants;
  readonly tokens: ShareTokens;
  readonly now: () => number;
  /** Sets the course of a new applicant's review going. */
  readonly onImported: (applicant: SimulatedApplicant, outcome: KycOutcome) => void;
}

/** The two calls of Sumsub's API that card issuing needs; the caller has checked the signature. */
export function answerProviderApi(deps: ProviderApiDeps, { method, target }: SimulatorRequest): SimulatorAnswer | null {
  const url = new URL(target, "http://kyc");
  if (method === "POST" && url.pathname === "/resources/applicants/-/import") {
    return importApplicant(deps, url.searchParams.get("shareToken") ?? "");
  }
  const id = /^\/resources\/applicants\/([^/]+)\/one$/u.exec(url.pathname)?.[1];
  if (method !== "GET" || id === undefined) return null;
  const applicant = deps.applicants.get(id);
  return applicant === undefined
    ? refusal({ code: 404, description: "Applicant not found" })
    : { status: 200, json: applicantAnswer(applicant) };
}

/** Sumsub looks at the token first (401), then at whether the sharing is allowed (400 with a code from 10501 on). */
function importApplicant(deps: ProviderApiDeps, shareToken: string): SimulatorAnswer {
  const token = deps.tokens.redeem(shareToken);
  switch (token.use) {
    case "used":
      return refusal({ code: 401, description: "Token is invalid: it was used" });
    case "expired":
      return refusal({ code: 401, description: "Token is invalid: its time to live is over" });
    case "unknown":
      return refusal({
        code: 400,
        description: "Partner id of the share token is not valid",
        errorCode: 10502,
        errorName: "invalid-partner-id",
      });
    case "accepted":
      break;
    default:
      return token satisfies never;
  }
  if (token.outcome === "down") return refusal({ code: 500, description: "Internal error" });
  if (token.outcome === "timeout") return "hang";
  const applicant = deps.applicants.add({ person: token.person, now: deps.now() });
  deps.onImported(applicant, token.outcome);
  return { status: 200, json: applicantAnswer(applicant) };
}
