import { isCurrency } from "@cardwright/money";
import type { Initiator } from "#audit/index.ts";
import type { Result } from "#kernel/index.ts";
import type { ExchangeDeps } from "./deps.ts";
import type { ExchangeRate, InvalidRates, NewRates, UsedRate } from "./exchange-rate.ts";
import { isAtPar, putRates, seedRates } from "./put-rates.ts";
import { createRateCache } from "./rate-cache.ts";
import { selectCurrencies, selectHistory, selectRateAt, selectRatesAt } from "./store.ts";

/** What the operator sees of a currency: the valid rate, and whether purchases still take it. */
export interface CurrentRate extends ExchangeRate {
  readonly isUsable: boolean;
}

/** The rate table: what currencies are worth in USD, who says so, and since when. */
export interface Exchange {
  /** All or none, in the platform's audit chain in the name of `by`. */
  put(input: NewRates, by: Initiator): Promise<Result<ExchangeRate[], InvalidRates>>;
  /** Only when the table is empty. True when this call filled it; throws for rates that cannot be. */
  seed(input: NewRates, by: Initiator): Promise<boolean>;
  /** The valid rate of each currency that has one, in order of the currencies. */
  current(): Promise<CurrentRate[]>;
  /** Newest first, those to come included. */
  history(filter: { readonly currency: string; readonly page: number; readonly size: number }): Promise<ExchangeRate[]>;
  /**
   * The rate from a currency to USD, now or at another moment; null when there is none, or none that is young enough. Now comes from
   * memory, up to `cachedMsMax` old. USD and TUSDT are at par: rate 1, source `par`.
   */
  rateOf(currency: string, at?: number): Promise<UsedRate | null>;
}

export function createExchange(deps: ExchangeDeps): Exchange {
  const cache = createRateCache((wanted) => selectRateAt(deps.pool, wanted));
  return {
    put: async (input, by) => {
      const written = await putRates(deps, input, by);
      cache.clear();
      return written;
    },
    seed: async (input, by) => {
      const isSeeded = await seedRates(deps, input, by);
      cache.clear();
      return isSeeded;
    },
    current: () => currentRates(deps),
    history: (filter) => selectHistory(deps.pool, filter),
    rateOf: async (currency, at) => {
      if (!isCurrency(currency)) return null;
      const moment = at ?? deps.clock.now();
      if (isAtPar(currency)) return { rate: { units: 1n, scale: 0 }, source: "par", at: moment };
      const rate =
        at === undefined
          ? await cache.rateAt(currency, moment)
          : await selectRateAt(deps.pool, { currency, at: moment });
      return rate === null || !isUsable(deps, rate, moment)
        ? null
        : { rate: rate.rate, source: rate.source, at: rate.validFrom };
    },
  };
}

async function currentRates(deps: ExchangeDeps): Promise<CurrentRate[]> {
  const at = deps.clock.now();
  const rates = await selectRatesAt(deps.pool, { currencies: await selectCurrencies(deps.pool), at });
  return rates.map((rate) => ({ ...rate, isUsable: isUsable(deps, rate, at) }));
}

function isUsable({ ageMsMax }: ExchangeDeps, rate: ExchangeRate, at: number): boolean {
  return ageMsMax === null || at - rate.validFrom <= ageMsMax;
}
