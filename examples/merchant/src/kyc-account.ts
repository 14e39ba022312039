import { exchangeJson, NoAnswer } from "./http-json.ts";

export interface Applicant {
  readonly name: string;
  readonly email: string;
}

/**
 * The merchant verifies its users with its own KYC account (Sumsub) and hands each verification to the platform as a share
 * token. A real merchant calls Sumsub here; in the sandbox its simulator issues tokens whose verification ends in
 * `outcome` (`approve`, `reject`, `pending`, …). Throws NoAnswer.
 */
export async function issueShareToken(
  kycUrl: string,
  request: { applicant: Applicant; outcome: string },
): Promise<string> {
  const [firstName, ...otherNames] = request.applicant.name.split(" ");
  const applicant = { email: request.applicant.email, firstName, lastName: otherNames.join(" ") || firstName };
  const answer = await exchangeJson({
    url: new URL("/simulator/share-tokens", kycUrl),
    method: "POST",
    headers: new Headers(),
    body: { outcome: request.outcome, applicant },
    timeoutMs: 10_000,
  });
  if (typeof answer === "object" && answer !== null && "token" in answer && typeof answer.token === "string") {
    return answer.token;
  }
  throw new NoAnswer("the KYC account", "no token in the answer");
}
