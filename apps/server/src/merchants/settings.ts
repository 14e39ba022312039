import type { CreditPolicy, FailurePolicy, MerchantSettings } from "./merchant.ts";
import type { SettingsRefusal } from "./refusals.ts";

export const nameCharactersMax = 128;
export const callbackUrlCharactersMax = 2048;
export const cardFrameOriginsMax = 20;
export const originCharactersMax = 256;
/** UTC−12 to UTC+14 (contract section 9). */
export const utcOffsetMinutesMin = -720;
export const utcOffsetMinutesMax = 840;
/** Minor units: 13 digits, as the amounts of authorizations have at most. */
export const standInAmountMax = 9_999_999_999_999n;
/** Credit of a hundred times the reserve is as good as without a bound; a hundredth of a percent is as fine as anybody agrees on. */
export const creditRatioMax = 100n;
export const creditRatioDecimalsMax = 4;

/** One line that says something: no control characters, not only white space. Postgres cannot store NUL at all. */
export const oneLine = /^(?=.*\S)[^\p{Cc}\u2028\u2029]*$/u;

/** The first setting that cannot be, or null. */
export function checkSettings(
  settings: MerchantSettings,
  rule: { readonly requireHttps: boolean },
): SettingsRefusal | null {
  if (!isOneLine(settings.name, nameCharactersMax)) return "name_invalid";
  if (settings.callbackUrl !== "" && !isCallbackUrl(settings.callbackUrl, rule)) return "callback_url_invalid";
  const origins = settings.cardFrameOrigins;
  if (origins.length > cardFrameOriginsMax || !origins.every((origin) => isOrigin(origin, rule))) {
    return "card_frame_origin_invalid";
  }
  const offset = settings.utcOffsetMinutes;
  const offsetFits = Number.isInteger(offset) && offset >= utcOffsetMinutesMin && offset <= utcOffsetMinutesMax;
  if (!offsetFits) return "utc_offset_invalid";
  if (!isFailurePolicy(settings.failurePolicy)) return "failure_policy_invalid";
  return isCreditPolicy(settings.creditPolicy) ? null : "credit_policy_invalid";
}

export function isCreditPolicy(policy: CreditPolicy): boolean {
  if (policy.kind !== "ratio") return true;
  const { units, scale } = policy.ratio;
  return units > 0n && scale <= creditRatioDecimalsMax && units <= creditRatioMax * 10n ** BigInt(scale);
}

/** Standing in without one of the three amounts would approve nothing, or without a bound; neither can be meant. */
export function isFailurePolicy(policy: FailurePolicy): boolean {
  const least = policy.kind === "stand_in" ? 1n : 0n;
  return [policy.purchaseMax, policy.cardDayMax, policy.dayMax].every(
    (amount) => amount >= least && amount <= standInAmountMax,
  );
}

export function isOneLine(text: string, charactersMax: number): boolean {
  return text.length <= charactersMax && oneLine.test(text);
}

/**
 * An absolute http or https URL without user name, password or fragment. Which addresses it may lead to is checked when a
 * connection is made, because a name can point elsewhere by then.
 */
export function isCallbackUrl(text: string, rule: { readonly requireHttps: boolean }): boolean {
  // The URL parser drops tabs, line breaks and outer blanks silently, so such a text is refused first.
  if (text.length > callbackUrlCharactersMax || /[\s\p{Cc}]/u.test(text)) return false;
  const url = URL.parse(text);
  if (url === null || !hasWebProtocol(url, rule)) return false;
  return url.hostname !== "" && url.username === "" && url.password === "" && !text.includes("#");
}

/** An origin exactly as browsers send it: scheme, host, port if it is not the scheme's own; no path, lower case. */
export function isOrigin(text: string, rule: { readonly requireHttps: boolean }): boolean {
  const url = text.length > originCharactersMax ? null : URL.parse(text);
  return url !== null && hasWebProtocol(url, rule) && url.origin === text;
}

function hasWebProtocol(url: URL, rule: { readonly requireHttps: boolean }): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && !rule.requireHttps);
}
