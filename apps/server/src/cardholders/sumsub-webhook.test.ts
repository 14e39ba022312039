import { createHmac } from "node:crypto";
import { expect, test } from "vitest";
import { readSumsubWebhook, webhookBodyBytesMax } from "./sumsub-webhook.ts";

const secret = "webhook-secret";
const text = '{"applicantId":"5d08a63239b79354a2ebaa1d","type":"applicantReviewed","reviewStatus":"completed"}';

function read(input: { text?: string; signed?: string; algorithm?: string; hash?: string; digest?: string }) {
  const rawBody = Buffer.from(input.text ?? text);
  const digest =
    input.digest ??
    createHmac(input.hash ?? "sha256", secret)
      .update(input.signed ?? rawBody)
      .digest("hex");
  const headers = { "x-payload-digest": digest, "x-payload-digest-alg": input.algorithm ?? "HMAC_SHA256_HEX" };
  return readSumsubWebhook({ secret, rawBody, headers });
}

test.each([
  ["HMAC_SHA1_HEX", "sha1"],
  ["HMAC_SHA256_HEX", "sha256"],
  ["HMAC_SHA512_HEX", "sha512"],
])("a webhook with a right %s digest is read", (algorithm, hash) => {
  const event = { applicantId: "5d08a63239b79354a2ebaa1d", type: "applicantReviewed" };
  expect(read({ algorithm, hash })).toEqual({ ok: true, value: event });
});

test("a digest of other bytes, of another key or cut short is refused", () => {
  const refusal = { ok: false, reason: "digest_mismatch" };
  expect(read({ signed: `${text} ` })).toEqual(refusal);
  expect(read({ digest: createHmac("sha256", "other").update(text).digest("hex") })).toEqual(refusal);
  const right = createHmac("sha256", secret).update(text).digest("hex");
  expect(read({ digest: right.slice(0, -2) })).toEqual(refusal);
  expect(read({ digest: `${right}zz` })).toEqual(refusal);
  expect(read({ digest: "" })).toEqual(refusal);
});

test("a digest of one algorithm under the name of another is refused, and so is a name that is none", () => {
  expect(read({ algorithm: "HMAC_SHA512_HEX", hash: "sha256" })).toEqual({ ok: false, reason: "digest_mismatch" });
  expect(read({ algorithm: "HMAC_MD5_HEX" })).toEqual({ ok: false, reason: "digest_unknown" });
  expect(read({ algorithm: "constructor" })).toEqual({ ok: false, reason: "digest_unknown" });
});

test("a webhook without a digest is refused before its body is looked at", () => {
  const rawBody = Buffer.from("not json");
  expect(readSumsubWebhook({ secret, rawBody, headers: {} })).toEqual({ ok: false, reason: "digest_missing" });
});

test("a signed body that is no event, or whose applicant id could leave its path, is refused", () => {
  for (const body of ["", "null", "[]", '{"type":"x"}', '{"applicantId":"../x","type":"applicantReviewed"}']) {
    expect(read({ text: body })).toEqual({ ok: false, reason: "body_invalid" });
  }
});

test("a body over 64 KB is refused without computing its digest", () => {
  expect(read({ text: "x".repeat(webhookBodyBytesMax + 1) })).toEqual({ ok: false, reason: "body_too_large" });
});
