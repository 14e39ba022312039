import { limits } from "./limits.ts";
import { areReadable, certificatesIn } from "./wire/trust.ts";

export type Mode = "AUTHORIZATION" | "CREDIT_EXTENSION";

export interface CertifyOptions {
  /** The merchant's callback URL, `https` or `http`. */
  readonly url: string;
  readonly appId: string;
  readonly apiSecret: string;
  /** `whsec_…`: given when the merchant verifies Standard Webhooks signatures too; then they are sent and checked. */
  readonly webhookSecret?: string;
  readonly mode: Mode;
  /** A test card of the merchant; in authorization mode with at least 20.00 in the merchant's books and nobody else using it. */
  readonly cardNo: string;
  readonly cardholderNo: string;
  /** The card's currency; USD when absent. */
  readonly currency?: string;
  /** The same seed asks the same questions; a random one when absent. From 0 to 2^32 - 1. */
  readonly seed?: number;
  /** Questions per second of the steady load; 50 and 200 when absent. At most 6 rates. */
  readonly rates?: readonly number[];
  /** 800 in authorization mode and 5,000 (pushes) in credit mode when absent. */
  readonly deadlineMs?: number;
  /** Certificates (PEM) of authorities that are trusted besides those of this machine: for an endpoint of your own authority. */
  readonly ca?: string;
  /** Ids of checks: only these, or all but these. */
  readonly only?: readonly string[];
  readonly skip?: readonly string[];
  /** Ends the run; `certify` rejects with its reason after what was opened on the card was given back. */
  readonly signal?: AbortSignal;
  /** Unix ms; of a merchant whose clock was moved. */
  readonly now?: () => number;
  /** A shorter run, for a first look or a test. */
  readonly pace?: Partial<Pace>;
}

export interface Pace {
  /** Before the first request after a silence. */
  readonly idleMs: number;
  readonly burstQuestions: number;
  readonly steadySecondsEach: number;
  /** How long books that are kept by a worker behind the endpoint may take: each wait in turn. */
  readonly settleWaitsMs: readonly number[];
}

export interface Settings
  extends Required<Omit<CertifyOptions, "webhookSecret" | "ca" | "only" | "skip" | "signal" | "pace">> {
  readonly webhookSecret: string | null;
  readonly ca: string | null;
  readonly pace: Pace;
}

/** What the options mean with everything that is absent filled in. Throws a TypeError that names what is wrong: mistakes of the caller. */
export function settingsOf(options: CertifyOptions): Settings {
  const url = URL.canParse(options.url) ? new URL(options.url) : null;
  requireThat(url?.protocol === "https:" || url?.protocol === "http:", "url must be an http or https URL");
  for (const name of ["appId", "apiSecret", "cardNo", "cardholderNo"] as const) {
    requireThat(options[name] !== "", `${name} is empty`);
  }
  const seed = options.seed ?? Math.floor(Math.random() * 2 ** 32);
  requireThat(
    Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32,
    "seed must be a whole number from 0 to 4294967295",
  );
  const rates = options.rates ?? [50, 200];
  requireThat(rates.length > 0 && rates.length <= limits.ratesMax, `rates must be 1 to ${limits.ratesMax} numbers`);
  for (const rate of rates) {
    requireThat(
      rate >= 1 && rate <= limits.ratePerSecondMax,
      `a rate must be 1 to ${limits.ratePerSecondMax} per second`,
    );
  }
  const deadlineMs = options.deadlineMs ?? (options.mode === "AUTHORIZATION" ? 800 : limits.pushMs);
  requireThat(deadlineMs >= 1 && deadlineMs <= limits.questionMs, `deadlineMs must be 1 to ${limits.questionMs}`);
  const certificates = options.ca === undefined ? null : certificatesIn(options.ca);
  requireThat(certificates === null || areReadable(certificates), "ca must be one or more certificates in PEM");
  return {
    url: options.url,
    appId: options.appId,
    apiSecret: options.apiSecret,
    webhookSecret: options.webhookSecret ?? null,
    ca: options.ca ?? null,
    mode: options.mode,
    cardNo: options.cardNo,
    cardholderNo: options.cardholderNo,
    currency: options.currency ?? "USD",
    seed,
    rates,
    deadlineMs,
    now: options.now ?? Date.now,
    pace: paceOf(options.pace ?? {}, rates.length),
  };
}

function paceOf(pace: Partial<Pace>, rates: number): Pace {
  return {
    idleMs: pace.idleMs ?? limits.idleMs,
    burstQuestions: pace.burstQuestions ?? limits.burstQuestions,
    settleWaitsMs: pace.settleWaitsMs ?? limits.settleWaitsMs,
    steadySecondsEach: pace.steadySecondsEach ?? Math.min(limits.steadySecondsEach, limits.steadySecondsMax / rates),
  };
}

function requireThat(holds: boolean, message: string): void {
  if (!holds) {
    throw new TypeError(message);
  }
}
