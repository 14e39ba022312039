import { createHmac } from "node:crypto";
import { sameText } from "./same-text.ts";
import {
  checkStandard,
  type SigningStandard,
  signaturePrefix,
  signedPrefix,
  type VerificationStandard,
  type VerificationStandardResult,
  webhookKeyOf,
} from "./standard-webhooks-parts.ts";

/**
 * One signature, `v1,<Base64>`; while a secret is being changed the header carries one per secret, separated by a
 * space. Throws when the id, the time or the secret cannot be signed with: mistakes of the caller.
 */
export function signStandard({ id, timestampSeconds, body, secret }: SigningStandard): string {
  return signatureOf({ prefix: signedPrefix({ id, timestampSeconds }), body, secret });
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
  readonly secret: string;
}

function signatureOf({ prefix, body, secret }: Signed): string {
  const digest = createHmac("sha256", webhookKeyOf(secret)).update(prefix).update(body).digest("base64");
  return signaturePrefix + digest;
}
