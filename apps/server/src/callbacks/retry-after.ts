import { callbackLimits } from "./limits.ts";

/**
 * How long a merchant asks to be left alone, in milliseconds: the header's seconds or date (RFC 9110), at least a second and at most an
 * hour; 10 s when it says nothing that can be read. A date is compared with the machine's time, which the merchant has as well.
 */
export function patienceOf(retryAfter: string | null, nowMs: number): number {
  const asked = retryAfter === null ? Number.NaN : millisecondsOf(retryAfter.trim(), nowMs);
  const ms = Number.isNaN(asked) ? callbackLimits.patienceMs : asked;
  return Math.min(Math.max(ms, callbackLimits.patienceMsMin), callbackLimits.patienceMsMax);
}

/** Only the form of dates that servers must send: `Date.parse` alone would take many things for dates. */
const dateForm = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/u;

function millisecondsOf(text: string, nowMs: number): number {
  if (/^\d{1,9}$/u.test(text)) {
    return Number(text) * 1_000;
  }
  return dateForm.test(text) ? Date.parse(text) - nowMs : Number.NaN;
}
