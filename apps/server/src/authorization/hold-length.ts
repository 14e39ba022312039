import { authorization as bounds } from "../limits.ts";

/** Of lodging and car hire, whose final amount is known at the end of a stay (the card schemes' 31 days). */
const longHoldMs = 31 * 86_400_000;

/** Ranges of merchant category codes: car hire by brand, lodging by brand, lodging, car and motor home hire. */
const longHolds: readonly (readonly [from: number, to: number])[] = [
  [3351, 3500],
  [3501, 3999],
  [7011, 7011],
  [7512, 7513],
  [7519, 7519],
];

/** How long an approval holds the money when no clearing comes, in milliseconds: 7 days, 31 for lodging and car hire. */
export function holdMs(mcc: string): number {
  const code = /^[0-9]{4}$/u.test(mcc) ? Number(mcc) : 0;
  return longHolds.some(([from, to]) => code >= from && code <= to) ? longHoldMs : bounds.authorizationHoldMs;
}
