import { createHash, timingSafeEqual } from "node:crypto";

const sha256 = (text: string) => createHash("sha256").update(text).digest();

/**
 * Whether an `Authorization` header carries the token. Hashes are compared, so the time taken tells neither the token's length
 * nor how much of it was right.
 */
export function bearerTokenCheck(token: string): (header: string | undefined) => boolean {
  const expected = sha256(`Bearer ${token}`);
  return (header) => timingSafeEqual(sha256(header ?? ""), expected);
}
