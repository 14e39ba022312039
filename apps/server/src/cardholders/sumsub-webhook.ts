import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { ok, type Result, refused } from "#kernel/index.ts";
import type { KycEvent, WebhookRefusal } from "./kyc-provider.ts";
import { checkDigest } from "./sumsub-signature.ts";

/** Sumsub's webhooks are below 4 KB: they carry no personal data. */
export const webhookBodyBytesMax = 64 * 1024;

/** Applicant ids are 24 hex digits today; anything that could not stand in a path is not one. */
export const applicantIdForm = /^[\w-]{1,64}$/u;

const webhookBody = z.object({
  applicantId: z.string().regex(applicantIdForm),
  type: z.string().regex(/^\w{1,64}$/u),
});

/** Nothing of the body is looked at before its digest matched. A digest that is not hex decodes short and never matches. */
export function readSumsubWebhook(input: {
  secret: string;
  rawBody: Uint8Array;
  headers: IncomingHttpHeaders;
}): Result<KycEvent, WebhookRefusal> {
  const { secret, rawBody, headers } = input;
  if (rawBody.byteLength > webhookBodyBytesMax) return refused("body_too_large");
  const digest = headers["x-payload-digest"];
  const algorithm = headers["x-payload-digest-alg"];
  if (typeof digest !== "string" || typeof algorithm !== "string") return refused("digest_missing");
  const verdict = checkDigest({ secret, rawBody, algorithm, digest });
  if (verdict !== "match") return refused(verdict === "unknown" ? "digest_unknown" : "digest_mismatch");
  const body = webhookBody.safeParse(parseJson(Buffer.from(rawBody).toString("utf8")));
  return body.success ? ok({ applicantId: body.data.applicantId, type: body.data.type }) : refused("body_invalid");
}

/** `undefined` for a text that is not JSON, which no schema here accepts. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
