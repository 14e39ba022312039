import { createHash, timingSafeEqual } from "node:crypto";
import type { Clock } from "#kernel/index.ts";

/** 24 characters of base 62 are 142 bits: out of reach of guessing even without the limit below. */
export const adminTokenCharactersMin = 24;

const failuresMax = 10;
const windowMs = 60_000;
/** Addresses remembered; beyond it the oldest is forgotten. About 100 bytes each. */
const addressesMax = 10_000;

/** Who may call: the name goes into the audit. */
export interface Operator {
  readonly name: string;
  readonly token: string;
}

/** The operator of the admin token. */
const admin = "admin";

export type Admission =
  | { readonly kind: "admitted"; readonly operator: string }
  | { readonly kind: "wrong_token" }
  | { readonly kind: "too_many_attempts"; readonly retryAfterSeconds: number };

export type TokenGuard = (request: {
  readonly authorization: string | undefined;
  readonly address: string;
}) => Admission;

interface Failures {
  count: number;
  readonly sinceMs: number;
}

/**
 * Lets in who knows the admin token or an operator's own. After 10 wrong tokens from one address within a minute, that address is refused whatever
 * it sends until the minute is over, so that a guess that would be right is not noticed. Throws for a token that is too short.
 */
export function createTokenGuard(options: {
  readonly adminToken: string;
  readonly operators?: readonly Operator[];
  readonly clock: Clock;
}): TokenGuard {
  if (options.adminToken.length < adminTokenCharactersMin) {
    throw new Error(`ADMIN_TOKEN must have at least ${adminTokenCharactersMin} characters`);
  }
  const expected = [{ name: admin, token: options.adminToken }, ...(options.operators ?? [])].map(
    ({ name, token }) => ({
      name,
      digest: digest(token),
    }),
  );
  const failures = new Map<string, Failures>();
  return ({ authorization, address }) => {
    const now = options.clock.now();
    const earlier = currentFailures(failures.get(address), now);
    if (earlier !== undefined && earlier.count >= failuresMax) {
      const retryAfterSeconds = Math.max(1, Math.ceil((earlier.sinceMs + windowMs - now) / 1000));
      return { kind: "too_many_attempts", retryAfterSeconds };
    }
    const operator = operatorOf(authorization, expected);
    if (operator !== null) return { kind: "admitted", operator };
    remember(failures, address, { count: (earlier?.count ?? 0) + 1, sinceMs: earlier?.sinceMs ?? now });
    return { kind: "wrong_token" };
  };
}

interface ExpectedToken {
  readonly name: string;
  readonly digest: Buffer;
}

/**
 * Digests have one length, so a comparison tells nothing about the token, not even how long it is; and it is compared with all of
 * them, whichever is right.
 */
function operatorOf(authorization: string | undefined, expected: readonly ExpectedToken[]): string | null {
  const [, token] = /^Bearer +([^\s]{1,512})$/iu.exec(authorization ?? "") ?? [];
  if (token === undefined) return null;
  const given = digest(token);
  const matching = expected.filter((each) => timingSafeEqual(given, each.digest));
  return matching[0]?.name ?? null;
}

function digest(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest();
}

/** The sandbox's clock may be set back: failures from the future count as over. */
function currentFailures(failures: Failures | undefined, now: number): Failures | undefined {
  if (failures === undefined || now < failures.sinceMs || now >= failures.sinceMs + windowMs) return undefined;
  return failures;
}

function remember(failures: Map<string, Failures>, address: string, entry: Failures): void {
  failures.delete(address);
  const oldest = failures.size >= addressesMax ? failures.keys().next() : undefined;
  if (oldest?.done === false) failures.delete(oldest.value);
  failures.set(address, entry);
}
