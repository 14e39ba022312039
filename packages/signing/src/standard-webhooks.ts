import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { sameText } from "./same-text.ts";
import {
  checkStandard,
  signaturePrefix,
  signedPrefix,
  type VerificationStandard,
  type VerificationStandardResult,
  webhookKeyOf,
} from "./standard-webhooks-parts.ts";

/**
 * Standard Webhooks (specification 1.0.0, symmetric scheme `v1`): the signature covers `id.timestamp.body`, so unlike
 * V1 the whole body is under it.
 */
export interface SigningStandard {
  /** Header `webhook-id`: not empty and without a dot, which separates it from the time. */
  readonly id: string;
  /** Header `webhook-timestamp`: Unix seconds. */
  readonly timestampSeconds: number;
  readonly body: string | Uint8Array;
  /** `whsec_` and Base64 of the key, or any other text, whose UTF-8 bytes are the key; or what `webhookKey` made of it. */
  readonly secret: string | KeyObject;
}

/**
 * One signature, `v1,<Base64>`; while a secret is being changed the header carries one per secret, separated by a
 * space. Throws when the id, the time or the secret cannot be signed with: mistakes of the caller.
 */
export function signStandard({ id, timestampSeconds, body, secret }: SigningStandard): string {
  return signatureOf({ prefix: signedPrefix({ id, timestampSeconds }), body, secret });
}

/**
 * The key of a secret, for who signs many bodies with it: an HMAC takes 4 µs with it, and 50 with the text of the secret. Throws
 * when the secret cannot be read.
 */
export function webhookKey(secret: string): KeyObject {
  return createSecretKey(webhookKeyOf(secret));
}

/**
 * Verifies the `webhook-signature` header: good when one of its `v1` signatures was made with one of the secrets. Other
 * schemes and anything after the tenth signature are passed over. Throws for a list of secrets that is empty, too long
 * or holds one that cannot be read: the receiver's own configuration is wrong.
 */
export function verifyStandard(verification: VerificationStandard): VerificationStandardResult {
  const { body, secrets } = verification;
  const checked = checkStandard(verification);
  if (!checked.ok) return checked;
  const expected = secrets.map((secret) => signatureOf({ prefix: checked.prefix, body, secret }));
  // Every pair is compared, so that the time does not tell which secret or signature was the good one.
  const matches = checked.signatures.flatMap((given) =>
    expected.filter((signature) => sameText({ expected: signature, given })),
  );
  return matches.length > 0 ? { ok: true } : { ok: false, reason: "signature_mismatch" };
}

interface Signed {
  readonly prefix: string;
  readonly body: string | Uint8Array;
  readonly secret: string | KeyObject;
}

function signatureOf({ prefix, body, secret }: Signed): string {
  const key = typeof secret === "string" ? webhookKeyOf(secret) : secret;
  const digest = createHmac("sha256", key).update(prefix).update(body).digest("base64");
  return signaturePrefix + digest;
}
