import { randomUUID } from "node:crypto";
import type { Clock } from "#kernel/index.ts";
import { type KycOutcome, outcomeOfToken } from "./outcomes.ts";

export interface Person {
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
}

export type TokenUse =
  | { readonly use: "accepted"; readonly outcome: KycOutcome; readonly person: Person }
  | { readonly use: "unknown" | "expired" | "used" };

export interface ShareTokens {
  create(input: { outcome: KycOutcome; person: Person }): { token: string; expiresAt: number };
  /** Uses the token up, except one that stands for a service that is down. */
  redeem(token: string): TokenUse;
}

interface Issued {
  readonly person: Person;
  readonly expiresAt: number;
}

/** Sumsub keeps a share token for 20 minutes at most. */
export const tokenLifetimeMs = 20 * 60_000;
/** The oldest are forgotten beyond this, so that a sandbox that runs for months stays small. */
const tokensMax = 100_000;

/** Tokens made here are bound to a person and expire; one never seen before with a known prefix is good once. */
export function createShareTokens(clock: Clock): ShareTokens {
  const issued = new Map<string, Issued>();
  const used = new Set<string>();
  const remember = (token: string): void => {
    used.add(token);
    forgetOldest(used);
  };
  return {
    create({ outcome, person }) {
      const token = `${outcome}-${randomUUID()}`;
      const expiresAt = clock.now() + tokenLifetimeMs;
      issued.set(token, { person, expiresAt });
      forgetOldest(issued);
      return { token, expiresAt };
    },
    redeem(token) {
      const outcome = outcomeOfToken(token);
      if (outcome === null) return { use: "unknown" };
      if (used.has(token)) return { use: "used" };
      const known = issued.get(token);
      if (known !== undefined && known.expiresAt <= clock.now()) return { use: "expired" };
      if (outcome !== "down") remember(token);
      return { use: "accepted", outcome, person: known?.person ?? defaultPerson(used.size) };
    },
  };
}

function forgetOldest(collection: Map<string, unknown> | Set<string>): void {
  if (collection.size <= tokensMax) return;
  const [oldest] = collection.keys();
  if (oldest !== undefined) collection.delete(oldest);
}

function defaultPerson(serial: number): Person {
  return { email: `applicant${serial}@example.com`, firstName: "Ada", lastName: "Example" };
}
