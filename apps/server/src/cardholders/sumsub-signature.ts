import { createHmac, timingSafeEqual } from "node:crypto";

/**
 * The signature Sumsub wants on every request: lower-case hex HMAC-SHA256 of seconds, method, path with query, body.
 * `pathAndQuery` is the exact text of the request line: an encoding that differs by one letter is refused.
 */
export function signRequest(input: {
  secret: string;
  timestampSeconds: number;
  method: string;
  pathAndQuery: string;
  body: string;
}): string {
  const { secret, timestampSeconds, method, pathAndQuery, body } = input;
  return createHmac("sha256", secret).update(`${timestampSeconds}${method}${pathAndQuery}${body}`).digest("hex");
}

const digestAlgorithms: Readonly<Record<string, string>> = {
  HMAC_SHA1_HEX: "sha1",
  HMAC_SHA256_HEX: "sha256",
  HMAC_SHA512_HEX: "sha512",
};

/** Compares a webhook's digest with ours over the raw body in constant time; `unknown` names an algorithm we do not have. */
export function checkDigest(input: {
  secret: string;
  rawBody: Uint8Array;
  algorithm: string;
  digest: string;
}): "match" | "mismatch" | "unknown" {
  if (!Object.hasOwn(digestAlgorithms, input.algorithm)) return "unknown";
  const hash = digestAlgorithms[input.algorithm] ?? "";
  const expected = createHmac(hash, input.secret).update(input.rawBody).digest();
  const given = Buffer.from(input.digest, "hex");
  // Decoding stops at the first letter that is not hex, so the length of the text is compared too.
  const sameLength = given.length === expected.length && input.digest.length === expected.length * 2;
  return sameLength && timingSafeEqual(given, expected) ? "match" : "mismatch";
}
