import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "#kernel/index.ts";
import { accessTokenMs } from "./limits.ts";

/** Whom a token is for. A new generation ends all tokens of the earlier ones. */
export interface TokenOwner {
  /** A UUID. */
  readonly credentialId: string;
  readonly generation: number;
}

/** Access-Tokens (contract sections 1 and 3, 1007). Nothing is stored: a token proves itself by its MAC. */
export interface AccessTokens {
  /** `expiresAt` is Unix ms. */
  issue(owner: TokenOwner): Promise<{ readonly token: string; readonly expiresAt: number }>;
  /** False for every text that is not a living token of this very owner. */
  accepts(owner: TokenOwner, token: string): Promise<boolean>;
}

export interface AccessTokensDeps {
  readonly clock: Clock;
  readonly vault: { readonly tokenKey: (name: string) => Promise<string> };
}

/** Credential 16, generation 4, expiry 6, random 12 bytes; then 32 bytes of HMAC-SHA256 over them. */
const claimBytes = 38;
const tokenForm = /^at_[A-Za-z0-9_-]{94}$/u;

export function createAccessTokens(deps: AccessTokensDeps): AccessTokens {
  let key: Promise<KeyObject> | null = null;
  const signingKey = (): Promise<KeyObject> => {
    key ??= deps.vault.tokenKey("access token").then(
      (base64) => createSecretKey(base64, "base64"),
      (error: unknown) => {
        // A vault that is away now must not stay away for ever.
        key = null;
        throw error;
      },
    );
    return key;
  };
  return {
    issue: async (owner) => issue(await signingKey(), owner, deps.clock.now() + accessTokenMs),
    accepts: async (owner, token) => accepts(await signingKey(), { owner, token, now: deps.clock.now() }),
  };
}

function issue(key: KeyObject, owner: TokenOwner, expiresAt: number): { token: string; expiresAt: number } {
  const claim = Buffer.alloc(claimBytes);
  credentialBytes(owner).copy(claim, 0);
  claim.writeUInt32BE(owner.generation, 16);
  claim.writeUIntBE(expiresAt, 20, 6);
  randomBytes(12).copy(claim, 26);
  return { token: `at_${Buffer.concat([claim, mac(key, claim)]).toString("base64url")}`, expiresAt };
}

function accepts(
  key: KeyObject,
  { owner, token, now }: { readonly owner: TokenOwner; readonly token: string; readonly now: number },
): boolean {
  if (!tokenForm.test(token)) {
    return false;
  }
  const bytes = Buffer.from(token.slice(3), "base64url");
  // 94 characters carry four bits more than 70 bytes; a token has one spelling only.
  if (bytes.toString("base64url") !== token.slice(3)) {
    return false;
  }
  const claim = bytes.subarray(0, claimBytes);
  return (
    timingSafeEqual(bytes.subarray(claimBytes), mac(key, claim)) &&
    claim.subarray(0, 16).equals(credentialBytes(owner)) &&
    claim.readUInt32BE(16) === owner.generation &&
    claim.readUIntBE(20, 6) > now
  );
}

function mac(key: KeyObject, claim: Buffer): Buffer {
  return createHmac("sha256", key).update(claim).digest();
}

function credentialBytes({ credentialId }: TokenOwner): Buffer {
  const bytes = Buffer.from(credentialId.replaceAll("-", ""), "hex");
  if (bytes.length !== 16) {
    throw new Error("a credential's id is not a UUID");
  }
  return bytes;
}
