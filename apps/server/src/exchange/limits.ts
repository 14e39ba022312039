/** The bounds of the exchange rates, each with its unit in the name and its reason. */
export const exchange = {
  /**
   * How long a rate is kept in memory. Rates are published a few times a day at most, so a purchase in these two seconds gets a rate
   * that was right a moment ago; and at thousands of decisions a second one read per currency and two seconds is left of the reads.
   */
  cachedMsMax: 2_000,
  /** One call can bring every currency there is (about 165). */
  ratesPerCallMax: 200,
  /**
   * USD for one unit. The dearest unit is worth about 45 (CLF, UYW), so a rate beyond 100 is one that was turned upside down: 156 for
   * the yen would bill 1,000 yen as 156,000 dollars.
   */
  rateMax: 100n,
  sourceCharactersMax: 64,
  /** A rate list is published hours or days before it is valid, never months: later is a mistyped time. */
  validAheadMsMax: 31 * 86_400_000,
  /** After a month's outage of the source its rates can still be filled in; what is older changes what nobody converts any more. */
  validBackMsMax: 31 * 86_400_000,
} as const;
