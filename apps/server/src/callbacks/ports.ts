import type pg from "pg";
import type { Clock } from "#kernel/index.ts";
import type { BreakerChange } from "./breaker.ts";

/** Where a merchant receives callbacks and what they are signed with. */
export interface CallbackTarget {
  readonly url: string;
  readonly appId: string;
  /** Of the credential that is marked primary: signs V1. */
  readonly apiSecret: string;
  /** What signs by Standard Webhooks, the current one first; absent or empty: V1 alone. */
  readonly webhookSecrets?: readonly string[];
  /** Absent: connections are made without a client certificate. */
  readonly clientIdentity?: ClientIdentity;
}

/** What we show a merchant's server that asks who connects (mutual TLS). */
export interface ClientIdentity {
  /** Another id is another certificate. */
  readonly certificateId: string;
  /** The certificate, then its issuers. */
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** The part of a pino logger that this room uses. Never given a body, an answer or a secret. */
export interface CallbackLog {
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What the room needs from outside; filled where the rooms are wired together. */
export interface CallbackDeps {
  readonly pool: pg.Pool;
  /** Business time: due moments, leases, retries. The sandbox can move it. */
  readonly clock: Clock;
  /**
   * The time of the `Timestamp` header: the receiver compares it with its own clock, so it is the machine's time even where
   * business time was moved.
   */
  readonly transportClock: Clock;
  readonly log: CallbackLog;
  /** `null` when the merchant has no callback URL. */
  readonly target: (merchantId: number) => CallbackTarget | null | Promise<CallbackTarget | null>;
  /** For metrics: told when a merchant's circuit opens, stays open after a probe, or closes. */
  readonly onBreaker?: (change: BreakerChange) => void;
  /** True in the sandbox only: plain http and private addresses are good. In production: https and public addresses. */
  readonly allowPrivateAddresses: boolean;
}

/** What of an error may stand in a log: its code or name, never its text, which can quote what was sent. */
export function nameOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return typeof error;
  }
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}
