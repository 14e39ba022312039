import { authorization as bounds } from "../limits.ts";

/** Merchant category codes that keep a hold for long: a stay or a rental ends weeks after it was authorized. */
const longHolds: readonly (readonly [first: number, last: number, what: string])[] = [
  [3351, 3441, "car rental companies"],
  [3501, 3999, "hotel companies"],
  [7011, 7012, "lodging and timeshares"],
  [7512, 7513, "car and truck rental"],
  [7519, 7519, "recreational vehicle rental"],
];

/** How long an approval holds the money when no clearing comes, in milliseconds: 7 days, 31 for lodging and car hire. */
export function holdMs(mcc: string): number {
  const code = Number(mcc);
  const isLong = longHolds.some(([first, last]) => code >= first && code <= last);
  return isLong ? bounds.longHoldMs : bounds.authorizationHoldMs;
}
