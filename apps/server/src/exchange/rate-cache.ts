import type { CurrencyCode } from "@cardwright/money";
import type { ExchangeRate } from "./exchange-rate.ts";
import { exchange as bounds } from "./limits.ts";

interface Kept {
  /** Unix ms of the business clock, for which it was read. */
  readonly at: number;
  readonly rate: Promise<ExchangeRate | null>;
}

/**
 * The rates that are valid now, kept for `cachedMsMax`; one entry for each currency of the table at most. Callers that come while a
 * rate is being read wait for that one read. Time is business time: when the sandbox's clock jumps, everything is read anew.
 */
export function createRateCache(
  read: (wanted: { currency: CurrencyCode; at: number }) => Promise<ExchangeRate | null>,
) {
  const kept = new Map<CurrencyCode, Kept>();
  return {
    rateAt: (currency: CurrencyCode, at: number): Promise<ExchangeRate | null> => {
      const known = kept.get(currency);
      if (known !== undefined && at >= known.at && at - known.at < bounds.cachedMsMax) {
        return known.rate;
      }
      const entry = { at, rate: read({ currency, at }) };
      kept.set(currency, entry);
      // What could not be read is not kept: the next caller tries again.
      entry.rate.catch(() => {
        if (kept.get(currency) === entry) kept.delete(currency);
      });
      return entry.rate;
    },
    /** After rates were written here; other processes notice when theirs run out. */
    clear: (): void => kept.clear(),
  };
}
