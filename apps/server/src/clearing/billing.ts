import { type CurrencyCode, convert, formatRate, type Rate } from "@cardwright/money";
import { isCrossBorder } from "#fees/index.ts";
import { bounds } from "./limits.ts";
import type { MessageAmount } from "./message.ts";

/** Cards are billed in USD and TUSDT, at par and with the same decimals (contract section 9, Money). */
export const cardCurrency = "USD";

/** The rate table's word for a currency: how much of the card's currency one unit of it buys; null when it has none. */
export type RateOf = (
  currency: CurrencyCode,
) => Promise<{ readonly rate: Rate; readonly source: string; readonly at: number } | null>;

/** How an amount came into the card's currency, as a consumption keeps it. */
export interface Exchange {
  /** Decimal text; empty where both currencies are at par, or the network told the amount alone. */
  readonly exchangeRate: string;
  readonly exchangeSource: string;
  /** Unix ms. */
  readonly exchangeAt: number | null;
}

/** Minor units of the card's currency. `exchange` is null where nothing was exchanged. */
export interface Billed {
  readonly amount: bigint;
  readonly exchange: Exchange | null;
}

const fromNetwork = "network";

/** What a message comes to in the card's currency: by the network's own word, its rate, or our table; null when nobody can tell. */
export async function billedOf(
  message: MessageAmount,
  options: { readonly rateOf: RateOf; readonly at: number },
): Promise<Billed | null> {
  const { amount, currency, billingAmount, exchangeRate } = message;
  const isForeign = isCrossBorder({ transaction: currency, card: cardCurrency });
  if (billingAmount !== null) {
    return { amount: billingAmount, exchange: isForeign ? told(exchangeRate, options.at) : null };
  }
  if (!isForeign || amount === 0n) {
    return { amount, exchange: null };
  }
  if (exchangeRate !== null) {
    return converted(message, { rate: exchangeRate, exchange: told(exchangeRate, options.at) });
  }
  const known = await options.rateOf(currency);
  if (known === null) {
    return null;
  }
  const { rate, source, at } = known;
  const exchange = { exchangeRate: formatRate(rate), exchangeSource: source, exchangeAt: at };
  return converted(message, { rate, exchange });
}

function told(rate: Rate | null, at: number): Exchange {
  return {
    exchangeRate: rate === null ? "" : formatRate(rate),
    exchangeSource: fromNetwork,
    exchangeAt: at,
  };
}

function converted(
  { amount, currency }: MessageAmount,
  by: { readonly rate: Rate; readonly exchange: Exchange },
): Billed | null {
  const billed = convert({ minor: amount, from: currency, to: cardCurrency, rate: by.rate });
  return billed > bounds.amountMinorMax ? null : { amount: billed, exchange: by.exchange };
}
